import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServingSpec } from '@perennial/contract';
import { listPrecomputations, saveEndpoint, transaction } from '@perennial/storage';
import { rollBack } from './rollback.ts';
import { registerCandidate } from './registration.ts';
import { ReleaseBench, person } from './testing/release-bench.ts';

const ada = person('user:ada', 'approver');
let bench: ReleaseBench;
beforeEach(async () => {
  bench = await ReleaseBench.open();
});
afterEach(() => bench.close());

async function serve(serving: ServingSpec): Promise<void> {
  const { db, model, clock } = bench;
  await saveEndpoint(db, { name: model, serving, source: 'operator', at: clock.now(), by: 'test' });
}
const OFFLINE: ServingSpec = { modes: ['online', 'offline'], precompute: { after: 'promotion' } };

const known = async () =>
  (await listPrecomputations(bench.db, bench.model, { limit: 100 })).items.map(({ version, state }) => [
    version,
    state,
  ]);
const jobs = async () =>
  (
    await bench.database.sql<{ n: string }[]>`
      select count(*) as n from graphile_worker.jobs where task_identifier = 'precomputation.start'`
  )[0]?.n;

/** As a worker that has scored all of it. */
async function putIntoUse(version: number): Promise<void> {
  const { sql } = bench.database;
  await sql`update precomputations set state = 'superseded' where state = 'live'`;
  await sql`update precomputations set state = 'live' where version = ${version}`;
  await sql`
    insert into precomputation_chunks (precomputation, chunk, from_key, to_key, rows, done_at)
    select id, 0, 'a', 'z', 1, now() from precomputations where version = ${version}`;
}

describe('a new champion', () => {
  it('is queued to be precomputed where its endpoint says so, and what was under way for the one before is not wanted any more', async () => {
    await serve(OFFLINE);
    await bench.champions(3);
    expect(await known()).toEqual([
      [3, 'queued'],
      [2, 'superseded'],
      [1, 'superseded'],
    ]);
    expect(await jobs()).toBe('3');
  });

  it.each<ServingSpec>([
    { modes: ['online'] },
    { modes: ['offline'], precompute: { after: 'request' } },
    { modes: ['online', 'offline'] },
  ])('is not where it says otherwise', async (serving) => {
    await serve(serving);
    await bench.champions(1);
    expect(await known()).toEqual([]);
  });

  it('is queued if and only if the alias has moved', async () => {
    await serve(OFFLINE);
    const candidate = await bench.candidate({ verdict: 'no-baseline', against: null });
    const undone = transaction(bench.database, async (tx) => {
      await registerCandidate(tx, candidate, bench.desk);
      throw new Error('the transaction fails at its end');
    });
    await expect(undone).rejects.toThrow('at its end');
    expect(await known()).toEqual([]);
    expect(await jobs()).toBe('0');
  });
});

describe('a rollback', () => {
  const back = () => rollBack(bench.desk, { model: bench.model, reason: 'it blames everyone' }, ada);

  it('takes the answers of the version that goes out of use, and puts those of the one before back at once', async () => {
    await serve(OFFLINE);
    await bench.champions(1);
    await putIntoUse(1);
    await bench.register(await bench.candidate({ verdict: 'pass', against: 1 }));
    await putIntoUse(2);
    await back();
    expect(await known()).toEqual([
      [1, 'queued'],
      [2, 'superseded'],
      [1, 'live'],
    ]);
  });

  it('leaves no answers where those of the one before are not kept', async () => {
    await serve(OFFLINE);
    await bench.champions(2);
    await putIntoUse(2);
    await back();
    expect(await known()).toEqual([
      [1, 'queued'],
      [2, 'superseded'],
      [1, 'superseded'],
    ]);
  });
});
