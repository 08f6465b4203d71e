import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { CHAMPION, IdGenerator, ManualClock, modelCardSchema } from '@perennial/contract';
import {
  aliasAt,
  findAlias,
  getModel,
  getModelVersion,
  listAliasMoves,
  listEvaluations,
  listModelVersions,
  listReleases,
  transaction,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { ChampionMovedError } from './errors.ts';
import { registerCandidate, type Candidate } from './registration.ts';
import { approveRelease, rejectRelease } from './release-decisions.ts';
import { makeCandidate, seed, type CandidateOptions } from './testing/candidate.ts';

const clock = new ManualClock('2001-02-01T03:00:00Z');
const ids = new IdGenerator(clock);
const opened: TestDatabase[] = [];
let test: TestDatabase;

beforeEach(async () => {
  test = await createTestDatabase();
  opened.push(test);
  await seed(test.database);
});
afterAll(async () => {
  for (const database of opened) await database.drop();
});

const db = () => test.database.orm;
const candidate = (options: Omit<CandidateOptions, 'database' | 'ids'>) =>
  makeCandidate({ database: test.database, ids, ...options });
const register = (given: Candidate) =>
  transaction(test.database, (tx) => registerCandidate(tx, given, { clock, ids }));
const page = { limit: 50 };

describe('registerCandidate', () => {
  it('puts the first version of a model into production, as there is nothing to be worse than', async () => {
    const registered = await register(await candidate({ verdict: 'no-baseline', against: null }));
    expect(registered).toEqual({ version: 1, verdict: 'no-baseline', live: true });
    expect(await getModel(db(), 'churn')).toMatchObject({ latestVersion: 1, championVersion: 1 });
    expect(await listEvaluations(db(), 'churn', 1)).toHaveLength(1);
  });

  it('supersedes the live release when a version passes, and keeps the history of the alias', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null }));
    clock.advance(1_000);
    const between = clock.now();
    clock.advance(1_000);
    await register(await candidate({ verdict: 'pass', against: 1 }));
    const releases = await listReleases(db(), { ...page, model: 'churn' });
    expect(releases.items.map((release) => [release.version, release.state])).toEqual([
      [2, 'live'],
      [1, 'superseded'],
    ]);
    const moves = await listAliasMoves(db(), { model: 'churn', alias: CHAMPION }, page);
    expect(moves.items.map((move) => [move.revision, move.version, move.previousVersion])).toEqual([
      [2, 2, 1],
      [1, 1, null],
    ]);
    expect(await aliasAt(db(), { model: 'churn', alias: CHAMPION }, between)).toBe(1);
    expect(await aliasAt(db(), { model: 'churn', alias: CHAMPION }, clock.now())).toBe(2);
  });

  it.each(['fail', 'inconclusive'] as const)(
    'keeps a version of verdict %s out of production',
    async (verdict) => {
      await register(await candidate({ verdict: 'no-baseline', against: null }));
      expect(await register(await candidate({ verdict, against: 1 }))).toEqual({
        version: 2,
        verdict,
        live: false,
      });
      expect(await getModel(db(), 'churn')).toMatchObject({ latestVersion: 2, championVersion: 1 });
      expect((await listReleases(db(), page)).items).toHaveLength(1);
    },
  );

  it('puts an inconclusive version into production where the gate says so', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null }));
    const given = await candidate({ verdict: 'inconclusive', against: 1, inconclusive: 'release' });
    expect(await register(given)).toEqual({ version: 2, verdict: 'inconclusive', live: true });
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
      createdAt: clock.now().toISOString(),
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
  it('waits, goes live when it is approved, and says who approved it', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null, approval: 'required' }));
    expect(await findAlias(db(), 'churn', CHAMPION)).toBeUndefined();
    const [waiting] = (await listReleases(db(), page)).items;
    expect(waiting?.state).toBe('pending');
    const decision = { release: waiting!.id, by: 'ada', reason: 'looks right' };
    const approved = await approveRelease({ database: test.database, clock }, decision);
    expect(approved).toMatchObject({ state: 'live', decidedBy: 'ada', reason: 'looks right' });
    expect(await findAlias(db(), 'churn', CHAMPION)).toMatchObject({ version: 1, revision: 1 });
  });

  it('cannot be decided twice', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null, approval: 'required' }));
    const [waiting] = (await listReleases(db(), page)).items;
    const desk = { database: test.database, clock };
    await rejectRelease(desk, { release: waiting!.id, by: 'ada', reason: 'no' });
    await expect(approveRelease(desk, { release: waiting!.id, by: 'bob', reason: 'yes' })).rejects.toThrow(
      /is rejected: 'approve' is not possible/,
    );
    expect(await findAlias(db(), 'churn', CHAMPION)).toBeUndefined();
  });

  it('is superseded by the release of a newer version', async () => {
    await register(await candidate({ verdict: 'no-baseline', against: null, approval: 'required' }));
    await register(await candidate({ verdict: 'no-baseline', against: null, approval: 'required' }));
    const states = (await listReleases(db(), page)).items.map((release) => [release.version, release.state]);
    expect(states).toEqual([
      [2, 'pending'],
      [1, 'superseded'],
    ]);
  });
});
