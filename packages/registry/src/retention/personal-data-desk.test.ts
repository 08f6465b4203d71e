import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ensurePredictionPartitions,
  getDatasetVersion,
  insertGroundTruth,
  keyHash,
  schema,
} from '@perennial/storage';
import { KEEPER, RetentionBench } from '../testing/retention-bench.ts';
import { PersonalDataDesk, type CountKeyRows } from './personal-data-desk.ts';

let bench: RetentionBench;
let desk: PersonalDataDesk;
let flushed: number;
beforeEach(async () => {
  bench = await RetentionBench.open();
  flushed = 0;
  const { database, clock } = bench.releases;
  const flushPredictions = () => Promise.resolve(void (flushed += 1));
  desk = new PersonalDataDesk({ database, clock, artifacts: bench.store, flushPredictions, countKeyRows });
});
afterEach(() => bench.close());

const MODEL = 'churn';

/** The bench's files are texts: each time the key stands there is a row. */
const countKeyRows: CountKeyRows = async ({ file, column, key }) =>
  column === '__key' ? (await readFile(file, 'utf8')).split(key).length - 1 : 0;

async function predict(key: string): Promise<string> {
  const { database, clock, ids } = bench.releases;
  await ensurePredictionPartitions(database.sql, [clock.now().toISOString().slice(0, 10)]);
  const id = ids.next();
  const answer = { features: {}, output: { value: 1 }, mode: 'live' as const, latencyMicroseconds: 1 };
  await bench.db
    .insert(schema.predictions)
    .values({ id, model: MODEL, version: 1, endpoint: MODEL, key, at: clock.now(), ...answer });
  return id;
}

async function tell(about: { predictionId: string } | { key: string }): Promise<void> {
  const { clock, ids } = bench.releases;
  const at = clock.now();
  const fact = { id: ids.next(), model: MODEL, label: true, observedAt: at, receivedAt: at, receivedBy: 'x' };
  await insertGroundTruth(bench.db, [{ predictionId: null, key: null, ...fact, ...about }]);
}

const audited = () => bench.releases.database.sql`
  select action, subject, reason, details from audit_entries where action like 'data.%' order by sequence`;

describe('what is on record about a key', () => {
  beforeEach(async () => {
    await bench.version({ dataset: await bench.dataset() });
    for (const key of ['ada', 'bob', 'ada']) await tell({ predictionId: await predict(key) });
    await tell({ key: 'ada' });
    await tell({ key: 'bob' });
  });

  it('is told whole, with facts by key and by prediction, after the journal is shipped', async () => {
    const told = await desk.export('ada', KEEPER);
    expect(flushed).toBe(1);
    expect(told.predictions.map(({ key }) => key)).toEqual(['ada', 'ada']);
    expect(told.groundTruth).toHaveLength(3);
    expect(told).toMatchObject({ key: 'ada', datasets: [], truncated: false });
    expect(await audited()).toMatchObject([
      { action: 'data.exported', subject: `key:sha256:${keyHash('ada')}` },
    ]);
  });

  it('is erased, and nobody else’s is; the audit does not name the key', async () => {
    const request = { key: 'ada', reason: 'ada asked', datasets: false };
    expect(await desk.erase(request, KEEPER)).toEqual({
      key: 'ada',
      predictions: 2,
      groundTruth: 3,
      entityFeatures: 0,
      precomputedPredictions: 0,
      datasets: [],
      remaining: [],
    });
    expect(await desk.export('ada', KEEPER)).toMatchObject({ predictions: [], groundTruth: [] });
    const bob = await desk.export('bob', KEEPER);
    expect([bob.predictions.length, bob.groundTruth.length]).toEqual([1, 2]);
    const [erased] = await audited();
    expect(erased).toMatchObject({ reason: '[key] asked', details: { predictions: 2, groundTruth: 3 } });
    expect(JSON.stringify(await audited())).not.toContain('"ada');
    expect(await desk.erase(request, KEEPER)).toMatchObject({ predictions: 0, groundTruth: 0 });
  });
});

describe('dataset versions with rows of a key', () => {
  it('are counted, and stay unless they are to go too', async () => {
    const dataset = await bench.dataset();
    await bench.version({ dataset });
    expect((await desk.export('train', KEEPER)).datasets).toEqual([{ dataset, pipeline: MODEL, rows: 1 }]);
    const kept = await desk.erase({ key: 'train', reason: 'r', datasets: false }, KEEPER);
    expect(kept).toMatchObject({ datasets: [], remaining: [dataset] });
  });

  it('are removed where that is asked for, though the champion was trained on them; its record stays', async () => {
    const dataset = await bench.dataset();
    await bench.version({ dataset });
    const erased = await desk.erase({ key: 'train', reason: 'r', datasets: true }, KEEPER);
    expect(erased).toMatchObject({ datasets: [dataset], remaining: [] });
    const { removedAt, manifest } = await getDatasetVersion(bench.db, dataset);
    expect(removedAt).toBe(bench.releases.clock.now().toISOString());
    expect(await bench.store.has(manifest.splits.train.digest)).toBe(false);
    await expect(bench.store.fetchFile(manifest.splits.train.digest)).rejects.toMatchObject({
      code: 'artifact-removed',
    });
    expect((await desk.export('train', KEEPER)).datasets).toEqual([]);
  });

  it('stay while a run works with them, and are named', async () => {
    const dataset = await bench.dataset();
    const { runId } = await bench.releases.candidate({ verdict: 'no-baseline', against: null });
    await bench.releases.database.sql`update runs set dataset_digest = ${dataset} where id = ${runId}`;
    const request = { key: 'train', reason: 'r', datasets: true };
    expect(await desk.erase(request, KEEPER)).toMatchObject({ datasets: [], remaining: [dataset] });
    await bench.endRun(runId);
    expect(await desk.erase(request, KEEPER)).toMatchObject({ datasets: [dataset], remaining: [] });
  });
});
