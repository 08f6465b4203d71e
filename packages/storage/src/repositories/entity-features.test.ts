import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../database/connection.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  deleteUnneededEntityRows,
  entityRanges,
  entityRowsBetween,
  saveEntityRows,
} from './entity-features.ts';
import { saveEndpoint } from './endpoints.ts';
import { eraseRowsOfKey, rowsOfKey } from './personal-data.ts';
import { findEntityRows } from './precomputed-predictions.ts';
import { transaction } from '../database/transaction.ts';
import { SPEC } from '../testing/pipeline-spec.ts';
import { savePipeline } from './pipelines.ts';

let test: TestDatabase;
let database: Database;
beforeAll(async () => {
  test = await createTestDatabase();
  database = test.database;
  const spec = { ...SPEC, name: 'm' };
  await savePipeline(database.orm, { spec, codeDigest: `sha256:${'1'.repeat(64)}`, loadedAt: new Date(0) });
});
afterAll(() => test.drop());
beforeEach(async () => {
  await database.sql`delete from entity_features`;
  await database.sql`delete from erased_keys`;
});

const day = (number: number) => new Date(Date.UTC(2024, 0, number));
const row = (key: string, at: Date, features: object) => ({ key, at, features: JSON.stringify(features) });
const save = (dataset: string, ...rows: ReturnType<typeof row>[]) =>
  saveEntityRows(database.orm, { model: 'm', dataset, rows });
const kept = async (key: string) => {
  const [found] = await findEntityRows(database, 'm', [key]);
  return found && { at: found.at, ...(JSON.parse(found.features) as object) };
};

describe('the last known row of an entity', () => {
  it('gives way to a newer one, and never to an older', async () => {
    expect(await save('d1', row('a', day(2), { x: 2 }), row('b', day(2), { x: 2 }))).toBe(2);
    expect(await save('d2', row('a', day(3), { x: 3 }), row('b', day(1), { x: 1 }))).toBe(1);
    expect(await kept('a')).toEqual({ at: day(3), x: 3 });
    expect(await kept('b')).toEqual({ at: day(2), x: 2 });
    expect(await save('d2', row('a', day(3), { x: 3 }))).toBe(0);
  });

  it('takes columns that the same row has in a later dataset', async () => {
    await save('d1', row('a', day(2), { x: 2 }));
    expect(await save('d2', row('a', day(2), { x: 2, y: 1 }))).toBe(1);
    expect(await kept('a')).toEqual({ at: day(2), x: 2, y: 1 });
  });

  it('that was erased is not brought back by the same data, but by what happens later', async () => {
    await save('d1', row('a', day(2), { x: 2 }), row('b', day(2), { x: 2 }));
    const erased = await transaction(database, (tx) => eraseRowsOfKey(tx, 'a', day(3)));
    expect(erased).toMatchObject({ entityFeatures: 1, precomputedPredictions: 0 });
    expect((await rowsOfKey(database.orm, 'a', 10)).entityFeatures).toEqual([]);
    expect((await rowsOfKey(database.orm, 'b', 10)).entityFeatures).toMatchObject([{ key: 'b', model: 'm' }]);
    await save('d1', row('a', day(2), { x: 2 }));
    expect(await kept('a')).toBeUndefined();
    await save('d2', row('a', day(4), { x: 4 }));
    expect(await kept('a')).toEqual({ at: day(4), x: 4 });
  });

  it('keeps any text as it is', async () => {
    const odd = `ü "quoted" {a,b} \\ NULL`;
    await save('d', row(odd, day(1), { 'a "b"': odd }));
    expect(await kept(odd)).toEqual({ at: day(1), 'a "b"': odd });
  });
});

describe('entities', () => {
  it('are divided into stretches by key that hold all of them', async () => {
    const keys = Array.from({ length: 25 }, (_, i) => `k${i}`);
    await save('d', ...keys.map((key) => row(key, day(1), {})));
    const ranges = await entityRanges(database.orm, 'm', 10);
    expect(ranges.map(({ rows }) => rows)).toEqual([10, 10, 5]);
    const rows = await Promise.all(
      ranges.map((range) => entityRowsBetween(database.orm, { model: 'm', ...range })),
    );
    expect(rows.map((each) => each.length)).toEqual([10, 10, 5]);
    expect(new Set(rows.flat().map(({ key }) => key))).toEqual(new Set(keys));
    expect(await entityRanges(database.orm, 'other', 10)).toEqual([]);
  });

  it('go where the model is served in no way that needs them', async () => {
    await save('d', row('a', day(1), {}), row('b', day(1), {}));
    const serve = (modes: ('online' | 'offline')[]) =>
      saveEndpoint(database.orm, {
        name: 'm',
        serving: { modes },
        source: 'operator',
        at: day(1),
        by: 'test',
      });
    await serve(['online', 'offline']);
    expect(await deleteUnneededEntityRows(database.orm, 10)).toBe(0);
    await serve(['online']);
    expect(await deleteUnneededEntityRows(database.orm, 1)).toBe(1);
    expect(await deleteUnneededEntityRows(database.orm, 10)).toBe(1);
  });
});
