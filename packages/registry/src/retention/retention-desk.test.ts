import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CHAMPION,
  PerennialError,
  RemovedError,
  type ReleasePolicy,
  type RetentionKind,
  type RetentionReport,
} from '@perennial/contract';
import {
  ArtifactsLostError,
  findAlias,
  getDatasetVersion,
  getModelVersion,
  getRun,
  holdArtifacts,
  listReleases,
  restorableReleases,
  saveDatasetVersion,
  transaction,
} from '@perennial/storage';
import { pointAlias } from '../aliases.ts';
import { approveRelease, rejectRelease } from '../release-decisions.ts';
import { rollBack } from '../rollback.ts';
import { RetentionDesk } from './retention-desk.ts';
import { person } from '../testing/release-bench.ts';
import { KEEPER, RetentionBench } from '../testing/retention-bench.ts';

let bench: RetentionBench;
beforeEach(async () => {
  bench = await RetentionBench.open();
});
afterEach(() => bench.close());

const ADA = person('user:ada', 'approver', 'operator', 'admin');
const ADA_ASKS = { by: 'user:ada', origin: '192.0.2.7 req_test' };
const REQUIRED: ReleasePolicy = { approval: 'required', approvers: 1, expires: '90d' };
const YOUNG = { maxAge: '1d', keepLast: null };

function part(report: RetentionReport, kind: RetentionKind) {
  const found = report.parts.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`no part ${kind}`);
  return found;
}

const artifactOf = async (version: number) =>
  (await getModelVersion(bench.db, bench.releases.model, version)).artifact;

/** So many champions, one after another, a day apart, each on a dataset version of its own. */
async function champions(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await bench.version({ dataset: await bench.dataset() });
    bench.days(1);
  }
}

const rollback = () => rollBack(bench.releases.desk, { model: bench.releases.model, reason: 'slow' }, ADA);

describe('the rules', () => {
  it('keep everything until somebody says otherwise', async () => {
    await champions(6);
    bench.days(10_000);
    const { parts } = await bench.retention.apply(KEEPER);
    expect(parts.map(({ items, kept }) => [items, kept])).toEqual(Array(4).fill([0, []]));
    for (let version = 1; version <= 6; version++) await bench.load(version);
  });

  it('are changed kind by kind, on the record', async () => {
    await bench.retention.change({ runs: YOUNG }, KEEPER);
    await bench.retention.change({ datasets: { maxAge: '2w', keepLast: 3 } }, KEEPER);
    expect(await bench.retention.policy()).toMatchObject({ runs: YOUNG, datasets: { keepLast: 3 } });
    const entries = await bench.releases.database
      .sql`select by, subject, details, origin from audit_entries where action = 'retention.changed' order by sequence`;
    expect(entries).toMatchObject([
      { by: 'token:keeper', subject: 'retention:runs', details: { after: YOUNG }, origin: KEEPER.origin },
      { subject: 'retention:datasets' },
    ]);
  });

  it('take no number of predictions, which are kept by the day', async () => {
    const refused = bench.retention.change({ predictions: { maxAge: '30d', keepLast: 5 } }, KEEPER);
    await expect(refused).rejects.toMatchObject({ code: 'invalid-request' });
  });
});

describe('applying the rules to files', () => {
  it('removes those of versions that nobody needs; their records stay and say so', async () => {
    await champions(6);
    await bench.policy({ datasets: YOUNG, artifacts: YOUNG });
    bench.days(5);
    const planned = await bench.retention.plan();
    const applied = await bench.retention.apply(KEEPER);
    expect({ ...planned, dryRun: false }).toEqual(applied);
    const gone = [await artifactOf(1), await artifactOf(2)];
    expect(part(applied, 'artifacts')).toMatchObject({ items: 2, names: gone });
    expect(part(applied, 'datasets').kept.map(({ reason }) => reason)).toContain(
      'churn@6 was trained on it: champion of churn',
    );
    for (const version of [3, 4, 5, 6]) await bench.load(version);
    await expect(bench.load(1)).rejects.toBeInstanceOf(RemovedError);
    const { lineage, card } = await getModelVersion(bench.db, 'churn', 1);
    expect(card.version).toBe(1);
    const dataset = await getDatasetVersion(bench.db, lineage.kind === 'run' ? lineage.dataset : '');
    expect(dataset.removedAt).toBe(bench.releases.clock.now().toISOString());
    expect(part(await bench.retention.apply(KEEPER), 'artifacts').items).toBe(0);
  });

  it('keeps a file that a needed version has too, and the one that it began at', async () => {
    const dataset = await bench.dataset();
    const first = await bench.version({ dataset, text: 'parent' });
    await bench.version({ dataset, text: 'twin', release: REQUIRED });
    await bench.policy({ artifacts: YOUNG });
    for (let i = 0; i < 5; i++) await bench.version({ dataset });
    await bench.version({ dataset, warmStartedFrom: await artifactOf(first) });
    await bench.version({ dataset, text: 'twin' });
    bench.days(5);
    const { kept } = part(await bench.retention.apply(KEEPER), 'artifacts');
    expect(kept).toContainEqual({ name: await artifactOf(first), reason: 'churn@8 began at its weights' });
    await bench.load(9);
    await bench.load(8);
    await bench.load(2);
  });

  it('keeps splits that another dataset version has too', async () => {
    const old = await bench.dataset();
    bench.days(10);
    const young = await bench.dataset({ sharing: old });
    await bench.policy({ datasets: { maxAge: '5d', keepLast: null } });
    expect(part(await bench.retention.apply(KEEPER), 'datasets').names).toContain(old);
    const { manifest } = await getDatasetVersion(bench.db, young);
    for (const { digest } of Object.values(manifest.splits)) await bench.store.fetchFile(digest);
    expect(manifest.splits.test).toEqual((await getDatasetVersion(bench.db, old)).manifest.splits.train);
  });

  it('removes what nothing refers to a day after it was first noticed', async () => {
    const { digest } = await bench.file('left by a run that failed');
    await bench.policy({ artifacts: { maxAge: '1000d', keepLast: null } });
    expect(part(await bench.retention.apply(KEEPER), 'artifacts')).toMatchObject({
      items: 0,
      kept: [{ name: digest, reason: expect.stringContaining('about to be put on record') as string }],
    });
    bench.days(0.9);
    expect(part(await bench.retention.apply(KEEPER), 'artifacts').items).toBe(0);
    bench.days(0.1);
    expect(part(await bench.retention.apply(KEEPER), 'artifacts').names).toEqual([digest]);
    expect(await bench.store.has(digest)).toBe(false);
  });

  it('finishes what a pass that was interrupted had begun', async () => {
    await champions(6);
    await bench.policy({ artifacts: YOUNG });
    const broken = Object.assign(Object.create(bench.store) as typeof bench.store, {
      list: () => bench.store.list(),
      delete: () => Promise.reject(new Error('killed')),
    });
    const { database, clock } = bench.releases;
    const desk = new RetentionDesk({ database, clock, artifacts: broken });
    await expect(desk.apply(KEEPER)).rejects.toThrow('killed');
    const digest = await artifactOf(1);
    expect(await bench.store.has(digest)).toBe(true);
    await expect(
      pointAlias(bench.releases.desk, { model: 'churn', alias: 'old', version: 1, reason: '' }, ADA_ASKS),
    ).rejects.toMatchObject({ code: 'artifact-removed', id: digest });
    await bench.retention.apply(KEEPER);
    expect(await bench.store.has(digest)).toBe(false);
  });

  it('is done once by several at the same time', async () => {
    await champions(8);
    await bench.policy({ datasets: YOUNG, artifacts: YOUNG });
    bench.days(3);
    const reports = await Promise.all([1, 2, 3].map(() => bench.retention.apply(KEEPER)));
    const counts = reports.map((report) => part(report, 'artifacts').items);
    expect(counts.sort()).toEqual([0, 0, 4]);
    for (const version of [5, 6, 7, 8]) await bench.load(version);
  });
});

describe('an artifact that was removed', () => {
  const gone = async () => {
    await champions(6);
    await bench.policy({ datasets: YOUNG, artifacts: YOUNG });
    bench.days(3);
    await bench.retention.apply(KEEPER);
    return artifactOf(1);
  };

  it('can be put on record again once it is there again', async () => {
    const digest = await gone();
    const hold = () => transaction(bench.releases.database, (tx) => holdArtifacts(tx, bench.store, [digest]));
    await expect(hold()).rejects.toBeInstanceOf(ArtifactsLostError);
    expect((await bench.file('model 2')).digest).toBe(digest);
    await hold();
    await pointAlias(bench.releases.desk, { model: 'churn', alias: 'old', version: 1, reason: '' }, ADA_ASKS);
    bench.days(30);
    await bench.retention.apply(KEEPER);
    expect(await bench.store.has(digest)).toBe(true);
  });

  it('of a dataset is kept again when the same dataset is made again', async () => {
    await gone();
    const { lineage } = await getModelVersion(bench.db, 'churn', 1);
    const dataset = await getDatasetVersion(bench.db, lineage.kind === 'run' ? lineage.dataset : '');
    const { digest, manifest, card } = dataset;
    const at = bench.releases.clock.now();
    await saveDatasetVersion(bench.db, { digest, manifest, card, asOf: at, createdAt: at });
    expect(await getDatasetVersion(bench.db, dataset.digest)).not.toHaveProperty('removedAt');
  });
});

describe('applying the rules to runs', () => {
  it('deletes those that no version came from, with their events, and keeps the others', async () => {
    const dataset = await bench.dataset();
    await bench.version({ dataset });
    const { runId } = await bench.releases.candidate({ verdict: 'fail', against: 1 });
    const unfinished = await bench.releases.candidate({ verdict: 'fail', against: 1 });
    await bench.endRun(runId);
    const { sql } = bench.releases.database;
    await sql`insert into triggers (id, pipeline, kind, by, cause, at, outcome, reason, run_id)
      values (${bench.releases.ids.next()}, 'churn', 'request', 'x', '{}', now(), 'started', '', ${runId})`;
    await bench.policy({ runs: YOUNG });
    bench.days(2);
    const applied = part(await bench.retention.apply(KEEPER), 'runs');
    expect(applied).toMatchObject({ names: [`run_${runId}`], rows: 1 });
    expect(applied.kept).toEqual([
      { name: expect.stringMatching(/^run_/) as string, reason: 'churn@1 came from it' },
    ]);
    await expect(getRun(bench.db, runId)).rejects.toMatchObject({ code: 'run-not-found' });
    expect(await sql`select run_id from triggers`).toEqual([{ run_id: null }]);
    expect(await getRun(bench.db, unfinished.runId)).toMatchObject({ state: 'queued' });
  });
});

type Step =
  | { do: 'register'; required: boolean; fresh: boolean; warm: boolean }
  | { do: 'approve' | 'reject' | 'rollback' }
  | { do: 'point'; version: number }
  | { do: 'wait'; days: number }
  | { do: 'apply'; keepLast: number | null };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      do: fc.constant('register' as const),
      required: fc.boolean(),
      fresh: fc.boolean(),
      warm: fc.boolean(),
    }),
    weight: 5,
  },
  fc.record({ do: fc.constantFrom('approve' as const, 'reject' as const, 'rollback' as const) }),
  fc.record({ do: fc.constant('point' as const), version: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 4 }) }),
  {
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      keepLast: fc.option(fc.integer({ min: 1, max: 2 })),
    }),
    weight: 3,
  },
);

/** Takes one step of a history; what people are refused is part of it. */
async function take(each: Step): Promise<void> {
  const { desk, model, clock } = bench.releases;
  const pending = (await listReleases(bench.db, { limit: 100, model }, clock.now())).items.find(
    ({ state }) => state === 'pending',
  );
  switch (each.do) {
    case 'register': {
      const champion = await findAlias(bench.db, model, CHAMPION);
      const from = champion && each.warm ? await artifactOf(champion.version) : undefined;
      const dataset = !each.fresh && champion ? await datasetOf(champion.version) : await bench.dataset();
      await bench.version({
        dataset,
        ...(each.required && { release: REQUIRED }),
        ...(from !== undefined && { warmStartedFrom: from }),
      });
      return;
    }
    case 'approve':
      if (pending) await approveRelease(desk, { release: pending.id, reason: '' }, ADA);
      return;
    case 'reject':
      if (pending) await rejectRelease(desk, { release: pending.id, reason: 'no' }, ADA);
      return;
    case 'rollback':
      await rollback();
      return;
    case 'point':
      await pointAlias(desk, { model, alias: 'challenger', version: each.version, reason: '' }, ADA_ASKS);
      return;
    case 'wait':
      bench.days(each.days);
      return;
    case 'apply': {
      const rule = { maxAge: '1d', keepLast: each.keepLast };
      await bench.policy({ datasets: rule, artifacts: rule, runs: rule });
      await bench.retention.apply(KEEPER);
    }
  }
}

async function datasetOf(version: number): Promise<string> {
  const { lineage } = await getModelVersion(bench.db, bench.releases.model, version);
  return lineage.kind === 'run' ? lineage.dataset : '';
}

/** Everything that must load after any history. */
async function holdToPromise(): Promise<void> {
  const { model, clock } = bench.releases;
  const { items } = await listReleases(bench.db, { limit: 500, model }, clock.now());
  const wanted = items.filter(({ state }) => ['pending', 'approved', 'live'].includes(state));
  for (const { version } of wanted) await bench.load(version);
  for (const alias of [CHAMPION, 'challenger']) {
    const found = await findAlias(bench.db, model, alias);
    if (found) await bench.load(found.version);
  }
  const restorable = await restorableReleases(bench.db, model);
  for (const { version } of restorable.slice(0, 3)) await bench.load(version);
}

describe('after any history', () => {
  it('every version that is live, asked for, named or the way back loads with what it was made from, and rollback works', async () => {
    await fc.assert(
      fc
        .asyncProperty(fc.array(step, { minLength: 12, maxLength: 30 }), async (history) => {
          for (const each of [
            ...history,
            { do: 'wait', days: 3 } as const,
            { do: 'apply', keepLast: null } as const,
          ]) {
            await take(each).catch((error: unknown) => {
              if (!(error instanceof PerennialError) || error.transient) throw error;
            });
            if (each.do === 'apply') await holdToPromise();
          }
          const [earlier] = await restorableReleases(bench.db, bench.releases.model);
          if (earlier) {
            const restored = await rollback();
            expect(restored.version).toBe(earlier.version);
            await bench.load(restored.version);
          }
        })
        .beforeEach(async () => {
          await bench.close();
          bench = await RetentionBench.open();
        }),
      { numRuns: 6 },
    );
  }, 60_000);
});
