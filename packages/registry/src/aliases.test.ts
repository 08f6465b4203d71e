import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAudit, listAliasMoves, findAlias } from '@perennial/storage';
import { pointAlias, withdrawAlias } from './aliases.ts';
import { ReleaseBench } from './testing/release-bench.ts';

const ADA = { by: 'user:ada', origin: '192.0.2.7 req_1' };
const model = 'churn';

let bench: ReleaseBench;
beforeAll(async () => {
  bench = await ReleaseBench.open();
  await bench.champions(2);
});
afterAll(() => bench.close());

const point = (alias: string, version: number, expectedRevision?: number) =>
  pointAlias(bench.desk, { model, alias, version, reason: 'to try it', expectedRevision }, ADA);

describe('an alias that releases do not move', () => {
  it('is set, moved by compare and set and removed, all of it on record', async () => {
    expect(await point('challenger', 2, 0)).toMatchObject({ version: 2, revision: 1 });
    expect(await point('challenger', 1, 1)).toMatchObject({ version: 1, revision: 2 });
    await expect(point('challenger', 2, 1)).rejects.toMatchObject({ code: 'conflict' });
    await expect(point('challenger', 2, 0)).rejects.toMatchObject({ code: 'conflict' });
    expect(await point('challenger', 2)).toMatchObject({ revision: 3 });
    const removed = await withdrawAlias(bench.desk, { model, alias: 'challenger', reason: 'tried' }, ADA);
    expect(removed).toMatchObject({ version: null, previousVersion: 2, revision: 4, by: 'user:ada' });
    expect(await findAlias(bench.db, model, 'challenger')).toBeUndefined();
    expect(await point('challenger', 1, 0)).toMatchObject({ revision: 5 });
    const { items } = await listAliasMoves(bench.db, { model, alias: 'challenger' }, { limit: 10 });
    expect(items.map(({ version }) => version)).toEqual([1, null, 2, 1, 2]);
  });

  it('leaves an entry in the audit with who, why and from where', async () => {
    await point('shadow', 1);
    await withdrawAlias(bench.desk, { model, alias: 'shadow', reason: 'done' }, ADA);
    const { items } = await listAudit(bench.db, { subject: 'alias:churn@shadow', limit: 10 });
    expect(items).toMatchObject([
      { action: 'alias.removed', ...ADA, reason: 'done', details: { version: null, previousVersion: 1 } },
      { action: 'alias.moved', ...ADA, reason: 'to try it', details: { version: 1, revision: 1 } },
    ]);
  });

  it('moves one by one where many move it at once, and who names no revision is never refused', async () => {
    const moves = await Promise.all([1, 2, 1, 2, 1].map((version) => point('busy', version)));
    expect(moves.map(({ revision }) => revision).sort()).toEqual([1, 2, 3, 4, 5]);
    const once = await Promise.allSettled([1, 2, 1].map((version) => point('once', version, 0)));
    expect(once.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('needs a model, a version and, to be removed, to be set', async () => {
    await expect(point('challenger', 9)).rejects.toMatchObject({ code: 'version-not-found' });
    const elsewhere = { model: 'absent', alias: 'challenger', version: 1, reason: 'x' };
    await expect(pointAlias(bench.desk, elsewhere, ADA)).rejects.toMatchObject({ code: 'model-not-found' });
    const absent = withdrawAlias(bench.desk, { model, alias: 'absent', reason: 'x' }, ADA);
    await expect(absent).rejects.toMatchObject({ code: 'alias-not-found' });
  });
});

describe('the champion', () => {
  it('is not moved so, and the refusal says what moves it', async () => {
    await expect(point('champion', 1)).rejects.toThrow('`perennial release request churn@1 --reason …`');
    const removal = withdrawAlias(bench.desk, { model, alias: 'champion', reason: 'x' }, ADA);
    await expect(removal).rejects.toThrow('`perennial rollback churn --reason …`');
    expect(await findAlias(bench.db, model, 'champion')).toMatchObject({ version: 2 });
  });
});
