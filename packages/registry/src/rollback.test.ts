import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { CHAMPION, NotFoundError } from '@perennial/contract';
import { findAlias, listAliasMoves, listAudit, listReleases, verifyAudit } from '@perennial/storage';
import { AttestationInvalidError, NothingToRestoreError, ReleaseRefusedError } from './errors.ts';
import { requestRelease } from './release-decisions.ts';
import { rollBack } from './rollback.ts';
import { ReleaseBench, person } from './testing/release-bench.ts';

const ada = person('user:ada', 'approver');
const opened: ReleaseBench[] = [];
let bench: ReleaseBench;

beforeEach(async () => {
  bench = await ReleaseBench.open();
  opened.push(bench);
});
afterAll(async () => {
  for (const each of opened) await each.close();
});

const page = { limit: 100 };
const championOf = async () => (await findAlias(bench.db, bench.model, CHAMPION))?.version;
const back = (to?: number) =>
  rollBack(bench.desk, { model: bench.model, reason: 'it blames everyone', to }, ada);
const states = async () =>
  (await listReleases(bench.db, page, bench.clock.now())).items.map(({ version, state }) => [version, state]);

describe('rollBack', () => {
  it('puts the version before the champion back, on the record and in one step', async () => {
    await bench.champions(3);
    expect(await back()).toMatchObject({ version: 2, state: 'live', decidedBy: 'user:ada' });
    expect(await championOf()).toBe(2);
    expect(await states()).toEqual([
      [3, 'rolled-back'],
      [2, 'live'],
      [1, 'superseded'],
    ]);
    const moves = await listAliasMoves(bench.db, { model: bench.model, alias: CHAMPION }, page);
    expect(moves.items[0]).toMatchObject({ version: 2, previousVersion: 3, revision: 4, by: 'user:ada' });
    const { items } = await listAudit(bench.db, { ...page, by: 'user:ada' });
    expect(items.map(({ action }) => action).reverse()).toEqual([
      'release.rolled-back',
      'release.restored',
      'alias.moved',
    ]);
    expect(await verifyAudit(bench.database)).toMatchObject({ valid: true });
  });

  it('goes back further with each rollback, and says when there is nothing left', async () => {
    await bench.champions(3);
    await back();
    expect(await back()).toMatchObject({ version: 1 });
    await expect(back()).rejects.toThrow(
      "'churn' has no earlier champion that was not rolled back itself: request a release of another version instead.",
    );
    expect(await championOf()).toBe(1);
  });

  it('goes back to the version that is named, and to no other than an earlier champion', async () => {
    await bench.champions(4);
    await bench.register(await bench.candidate({ verdict: 'fail', against: 4 }));
    await expect(back(4)).rejects.toThrow("Version 4 of 'churn' is in production now.");
    await expect(back(5)).rejects.toThrow(
      /^Version 5 of 'churn' is no earlier champion.*go back to: 3, 2, 1/,
    );
    expect(await back(1)).toMatchObject({ version: 1, state: 'live' });
    await expect(back(4)).rejects.toThrow(NothingToRestoreError);
    expect(await back()).toMatchObject({ version: 3 });
  });

  it('leads to a version again that was rolled back and then released anew', async () => {
    await bench.champions(2);
    await back();
    const again = { model: bench.model, version: 2, reason: 'it was the data', override: true };
    await requestRelease(bench.desk, again, person('user:bob', 'admin'));
    const third = await bench.candidate({ verdict: 'pass', against: 2 });
    expect(await bench.register(third)).toMatchObject({ live: true });
    expect(await back()).toMatchObject({ version: 2 });
  });

  it('does not lead to the bytes that it takes out of production, under another number', async () => {
    await bench.champions(1);
    const same = await bench.candidate({ verdict: 'pass', against: 1 });
    await bench.register(same);
    const artifact = same.artifact.digest;
    await bench.register(await bench.candidate({ verdict: 'pass', against: 2, artifact }));
    await expect(back(2)).rejects.toThrow(/or was rolled back itself \(to go back to: 1\)/);
    await back();
    expect(await championOf()).toBe(1);
  });

  it('takes the role, a model that there is, and something that is live', async () => {
    await bench.champions(2);
    const wanted = { model: bench.model, reason: 'x' };
    const operator = person('user:olga', 'operator');
    await expect(rollBack(bench.desk, wanted, operator)).rejects.toThrow(ReleaseRefusedError);
    await expect(rollBack(bench.desk, { ...wanted, model: 'fraud' }, ada)).rejects.toThrow(NotFoundError);
    expect(await championOf()).toBe(2);
  });

  it('changes nothing when the version before would not be served, since what was signed does not hold', async () => {
    await bench.champions(2);
    const forged = {
      attest: () =>
        Promise.reject(new AttestationInvalidError({ model: 'churn', version: 1 }, 'its signature is wrong')),
    };
    const desk = { ...bench.desk, signer: forged };
    await expect(rollBack(desk, { model: bench.model, reason: 'x' }, ada)).rejects.toThrow(
      AttestationInvalidError,
    );
    expect(await championOf()).toBe(2);
    expect((await states())[0]).toEqual([2, 'live']);
  });

  it('of many at once, each goes one step back', async () => {
    await bench.champions(5);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => back()));
    const done = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(done).toHaveLength(4);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(NothingToRestoreError);
    expect(await championOf()).toBe(1);
  });
});
