import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Release } from '@perennial/contract';
import { findAlias, listReleases } from '@perennial/storage';
import { makeChampion } from './champion-move.ts';
import { approveRelease, rejectRelease, requestRelease } from './release-decisions.ts';
import { ReleaseBench, person } from './testing/release-bench.ts';

let bench: ReleaseBench;
beforeEach(async () => {
  bench = await ReleaseBench.open();
  await bench.champions(1);
});
afterEach(() => bench.close());

const ada = person('user:ada', 'operator');
const bob = person('user:bob', 'approver', 'operator');
const eve = person('user:eve', 'approver', 'operator');
const required = (approvers: number) => ({ approval: 'required' as const, approvers, expires: '7d' });
const move = (version: number, caller = bob) =>
  makeChampion(bench.desk, { model: 'churn', version, reason: 'asked elsewhere' }, caller);
const champion = async () => (await findAlias(bench.db, 'churn', 'champion'))?.version;
const releases = async () => (await listReleases(bench.db, { limit: 50 }, bench.clock.now())).items;
const refused = { code: 'release-refused' };

/** Version 2, whose release waits for so many people. */
async function waiting(approvers: number): Promise<Release> {
  await bench.register(await bench.candidate({ verdict: 'pass', against: 1, release: required(approvers) }));
  const [release] = await releases();
  expect(release).toMatchObject({ version: 2, state: 'pending', approvers });
  return release as Release;
}

describe('the champion is moved in one step', () => {
  it('by who may request it, where the policy lets the version through by itself', async () => {
    const { id } = await waiting(1);
    await rejectRelease(bench.desk, { release: id, reason: 'not yet' }, eve);
    await move(2, ada);
    expect(await champion()).toBe(2);
    expect((await releases()).map(({ version, state }) => [version, state])).toEqual([
      [2, 'live'],
      [2, 'rejected'],
      [1, 'superseded'],
    ]);
  });

  it('by the approval that is the last one missing', async () => {
    const { id } = await waiting(2);
    await approveRelease(bench.desk, { release: id, reason: 'good' }, eve);
    bench.clock.advance(1_000);
    await move(2, bob);
    expect(await champion()).toBe(2);
    const [live] = await releases();
    expect(live).toMatchObject({ id, state: 'live', requestedBy: 'pipeline:churn' });
    expect(live?.approvals.map(({ by, comment }) => [by, comment])).toEqual([
      ['user:eve', 'good'],
      ['user:bob', 'asked elsewhere'],
    ]);
  });

  it('by nothing where it is there already', async () => {
    const before = await releases();
    await move(1, ada);
    expect(await releases()).toEqual(before);
  });
});

describe('the champion is not moved, and nothing is changed,', () => {
  it('where more approvals are missing than one', async () => {
    const { id } = await waiting(2);
    const before = await releases();
    await expect(move(2)).rejects.toThrow('takes 2 approvals and has 0');
    expect(await releases()).toEqual(before);
    await approveRelease(bench.desk, { release: id, reason: 'good' }, eve);
    await expect(move(2, eve)).rejects.toThrow('takes 2 approvals and has 0');
    expect(await champion()).toBe(1);
  });

  it('by who asked for the release', async () => {
    const { id } = await waiting(1);
    await rejectRelease(bench.desk, { release: id, reason: 'not yet' }, eve);
    await bench.policy(required(1));
    await requestRelease(bench.desk, { model: 'churn', version: 2, reason: 'x', override: false }, bob);
    await expect(move(2, bob)).rejects.toThrow('somebody else must approve it');
    expect(await champion()).toBe(1);
    await move(2, eve);
    expect(await champion()).toBe(2);
  });

  it('where the policy asks for people and no release waits for them', async () => {
    const { id } = await waiting(1);
    await rejectRelease(bench.desk, { release: id, reason: 'not yet' }, eve);
    await bench.policy(required(1));
    const before = await releases();
    await expect(move(2)).rejects.toThrow('request it (`perennial release request churn@2`)');
    expect(await releases()).toEqual(before);
  });

  it('where the gate did not let the version through', async () => {
    await bench.register(await bench.candidate({ verdict: 'fail', against: 1 }));
    const before = await releases();
    await expect(move(2)).rejects.toThrow('was not let through by its gate, whose verdict is fail');
    expect(await releases()).toEqual(before);
  });

  it('without the role, beyond the caller’s models, or to a version that is not there', async () => {
    await waiting(1);
    await expect(move(2, ada)).rejects.toThrow('takes the role approver');
    await expect(move(2, person('token:reader', 'viewer'))).rejects.toMatchObject(refused);
    await expect(move(2, { ...bob, models: ['other'] })).rejects.toMatchObject(refused);
    await expect(move(9)).rejects.toMatchObject({ code: 'version-not-found' });
    expect(await champion()).toBe(1);
  });
});
