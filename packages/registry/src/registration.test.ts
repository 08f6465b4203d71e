import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { CHAMPION, modelCardSchema, type ReleasePolicy } from '@perennial/contract';
import {
  aliasAt,
  championBefore,
  findAlias,
  getModel,
  getModelVersion,
  listAliasMoves,
  listEvaluations,
  listModelVersions,
  listReleases,
} from '@perennial/storage';
import { ChampionMovedError } from './errors.ts';
import type { Candidate } from './registration.ts';
import { requestRelease } from './release-decisions.ts';
import { rollBack } from './rollback.ts';
import type { CandidateOptions } from './testing/candidate.ts';
import { ReleaseBench, person } from './testing/release-bench.ts';

const opened: ReleaseBench[] = [];
let bench: ReleaseBench;

beforeEach(async () => {
  bench = await ReleaseBench.open();
  opened.push(bench);
});
afterAll(async () => {
  for (const each of opened) await each.close();
});

const db = () => bench.db;
const candidate = (options: Omit<CandidateOptions, 'database' | 'ids'>) => bench.candidate(options);
const register = (given: Candidate) => bench.register(given);
const page = { limit: 50 };
const releases = async () => (await listReleases(db(), page, bench.clock.now())).items;
const REQUIRED: ReleasePolicy = { approval: 'required', approvers: 1, expires: '7d' };

describe('registerCandidate', () => {
  it('puts the first version of a model into production, as there is nothing to be worse than', async () => {
    const registered = await register(await candidate({ verdict: 'no-baseline', against: null }));
    expect(registered).toEqual({ version: 1, verdict: 'no-baseline', live: true, withheld: null });
    expect(await getModel(db(), 'churn')).toMatchObject({ latestVersion: 1, championVersion: 1 });
    expect(await listEvaluations(db(), 'churn', 1)).toHaveLength(1);
  });

  it('supersedes the live release when a version passes, and keeps the history of the alias', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null }));
    bench.clock.advance(1_000);
    const between = bench.clock.now();
    bench.clock.advance(1_000);
    await register(await candidate({ verdict: 'pass', against: 1 }));
    expect((await releases()).map((release) => [release.version, release.state])).toEqual([
      [2, 'live'],
      [1, 'superseded'],
    ]);
    const moves = await listAliasMoves(db(), { model: 'churn', alias: CHAMPION }, page);
    expect(moves.items.map((move) => [move.revision, move.version, move.previousVersion])).toEqual([
      [2, 2, 1],
      [1, 1, null],
    ]);
    expect(await aliasAt(db(), { model: 'churn', alias: CHAMPION }, between)).toMatchObject({ version: 1 });
    expect(await aliasAt(db(), { model: 'churn', alias: CHAMPION }, bench.clock.now())).toMatchObject({
      version: 2,
    });
  });

  it.each(['fail', 'inconclusive'] as const)(
    'keeps a version of verdict %s out of production',
    async (verdict) => {
      await register(await candidate({ verdict: 'no-baseline', against: null }));
      expect(await register(await candidate({ verdict, against: 1 }))).toEqual({
        version: 2,
        verdict,
        live: false,
        withheld: expect.stringContaining(
          `whose verdict is ${verdict}: only an admin may let it through`,
        ) as string,
      });
      expect(await getModel(db(), 'churn')).toMatchObject({ latestVersion: 2, championVersion: 1 });
      expect(await releases()).toHaveLength(1);
    },
  );

  it('puts an inconclusive version into production where the gate says so', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null }));
    const given = await candidate({ verdict: 'inconclusive', against: 1, inconclusive: 'release' });
    expect(await register(given)).toEqual({
      version: 2,
      verdict: 'inconclusive',
      live: true,
      withheld: null,
    });
    expect(await getModel(db(), 'churn')).toMatchObject({ championVersion: 2 });
  });

  it('lets each card look back on the twenty versions before it, newest first', async () => {
    for (let version = 1; version <= 22; version += 1) {
      const first = version === 1;
      const given = await candidate({ verdict: first ? 'no-baseline' : 'fail', against: first ? null : 1 });
      await register(given);
    }
    const { card: first } = await getModelVersion(db(), 'churn', 1);
    expect(first.history).toEqual([]);
    const { card } = await getModelVersion(db(), 'churn', 22);
    expect(modelCardSchema.parse(card)).toEqual(card);
    expect(card.history.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, (_, i) => 21 - i));
    expect(card.history[0]).toEqual({
      version: 21,
      createdAt: bench.clock.now().toISOString(),
      verdict: 'fail',
      metrics: first.kind === 'trained' ? first.evaluation.metrics : null,
    });
  });

  it('registers a run once, however often it is asked', async () => {
    const given = await candidate({ verdict: 'no-baseline', against: null });
    const first = await register(given);
    expect(await register(given)).toEqual(first);
    expect((await listModelVersions(db(), 'churn', page)).items).toHaveLength(1);
  });

  it('refuses a verdict that was given against another champion, and leaves nothing behind', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null }));
    const stale = await candidate({ verdict: 'no-baseline', against: null });
    await expect(register(stale)).rejects.toThrow(ChampionMovedError);
    expect(await getModel(db(), 'churn')).toMatchObject({ latestVersion: 1, championVersion: 1 });
  });

  it('lets one of many registrations at once become champion, with numbers that have no gap', async () => {
    const candidates = await Promise.all(
      Array.from({ length: 8 }, () => candidate({ verdict: 'no-baseline', against: null })),
    );
    const outcomes = await Promise.allSettled(candidates.map(register));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(await getModel(db(), 'churn')).toMatchObject({ latestVersion: 1, championVersion: 1 });
  });
});

describe('a release that needs approval', () => {
  it('waits, and is superseded by the release of a newer version', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null, release: REQUIRED }));
    expect(await findAlias(db(), 'churn', CHAMPION)).toBeUndefined();
    await register(await candidate({ verdict: 'no-baseline', against: null, release: REQUIRED }));
    expect((await releases()).map(({ version, state, approvers }) => [version, state, approvers])).toEqual([
      [2, 'pending', 1],
      [1, 'superseded', 1],
    ]);
  });
});

describe('a version that was rolled back', () => {
  const ada = person('ada', 'admin');
  const back = { model: 'churn', reason: 'it blames everyone' };

  it('is not offered again: a candidate of the same bytes asks for no release, and says so', async () => {
    await bench.champions(1);
    const bad = await candidate({ verdict: 'pass', against: 1 });
    await register(bad);
    await rollBack(bench.desk, back, ada);
    const again = await candidate({ verdict: 'pass', against: 1, artifact: bad.artifact.digest });
    const registered = await register(again);
    expect(registered).toMatchObject({ version: 3, verdict: 'pass', live: false });
    expect(registered.withheld).toMatch(/^Version 3 of 'churn' was rolled back: only an admin may let it/);
    expect(await register(again)).toMatchObject({
      version: 3,
      live: false,
      withheld: 'No release was asked for.',
    });
    expect((await releases()).map(({ version }) => version)).toEqual([2, 1]);
    const forced = { model: 'churn', version: 3, reason: 'the cause was elsewhere', override: true };
    expect(await requestRelease(bench.desk, forced, ada)).toMatchObject({ state: 'live', override: true });
    const better = await candidate({ verdict: 'pass', against: 3, artifact: bad.artifact.digest });
    expect(await register(better)).toMatchObject({ live: true, withheld: null });
  });

  it('is nothing that a training begins at', async () => {
    await bench.champions(2);
    const after = new Date('2001-03-01T00:00:00Z');
    expect(await championBefore(db(), 'churn', after)).toMatchObject({ version: 2 });
    await rollBack(bench.desk, back, ada);
    expect(await championBefore(db(), 'churn', after)).toMatchObject({ version: 1 });
  });
});
