import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CHAMPION,
  IdGenerator,
  ManualClock,
  NotFoundError,
  formatId,
  type GroundTruthItem,
  type PredictionOutput,
  type Signature,
} from '@perennial/contract';
import { ensurePredictionPartitions, moveAlias, transaction } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { LabelMismatchError, UnknownPredictionsError } from './errors.ts';
import { GroundTruthLog } from './ground-truth.ts';
import { reportLive } from './live-report.ts';

const clock = new ManualClock('2001-02-01T12:00:00Z');
const ids = new IdGenerator(clock);
const opened: TestDatabase[] = [];
let test: TestDatabase;
let log: GroundTruthLog;
let flushes = 0;

beforeEach(async () => {
  clock.set('2001-02-01T12:00:00Z');
  flushes = 0;
  test = await createTestDatabase();
  opened.push(test);
  const flushPredictions = async () => void flushes++;
  log = new GroundTruthLog({ database: test.database, clock, ids, flushPredictions });
  await addModel('late', { kind: 'binary', threshold: 0.5 });
});
afterAll(async () => {
  for (const database of opened) await database.drop();
});

/** A registered version, as far as monitoring looks at it. */
async function addModel(model: string, output: Signature['output']): Promise<void> {
  const { sql } = test.database;
  const at = clock.now();
  const signature = sql.json({ inputs: [{ name: 'age', type: 'number' }], output });
  const empty = sql.json({});
  await sql`insert into models (name, created_at, latest_version) values (${model}, ${at}, 1)`;
  await sql`
    insert into model_versions (model, version, artifact_digest, artifact_bytes, signature, lineage, gate, card, as_of, created_at)
    values (${model}, 1, 'sha256:00', 1, ${signature}, ${empty}, ${empty}, ${empty}, ${at}, ${at})`;
}

interface Asked {
  model?: string;
  key?: string;
  output: PredictionOutput;
}

/** Puts a prediction on record as shipping does, at the clock's time, and gives its plain id. */
async function addPrediction({ model = 'late', key, output }: Asked): Promise<string> {
  const { sql } = test.database;
  const id = ids.next();
  const at = clock.now();
  await ensurePredictionPartitions(sql, [at.toISOString().slice(0, 10)]);
  await sql`
    insert into predictions (id, model, version, endpoint, key, features, output, mode, latency_microseconds, at)
    values (${id}, ${model}, 1, ${model}, ${key ?? null}, ${sql.json({})}, ${sql.json(output)}, 'live', 10, ${at})`;
  return id;
}

const binary = (probability: number): PredictionOutput => ({ probability, decision: probability >= 0.5 });
const fact = (id: string, label: GroundTruthItem['label']): GroundTruthItem => ({
  prediction: formatId('prediction', id),
  label,
});
const report = (model = 'late') => reportLive({ database: test.database, clock }, { model });

describe('ground truth', () => {
  it('is joined by prediction id and by key', async () => {
    const id = await addPrediction({ output: binary(0.9) });
    await addPrediction({ key: 'a', output: binary(0.2) });
    const response = await log.record([fact(id, true), { model: 'late', key: 'a', label: false }], 'test');
    expect(response).toEqual({ accepted: 2, pending: 0 });
    const [day] = (await report()).days;
    expect(day).toMatchObject({
      day: '2001-02-01',
      predictions: 2,
      labelled: 2,
      metrics: { auc: 1, accuracy: 1 },
    });
  });

  it('by key may come before its prediction, and is pending until then', async () => {
    const item = { model: 'late', key: 'early', label: true };
    expect(await log.record([item], 'test')).toEqual({ accepted: 1, pending: 1 });
    await addPrediction({ key: 'early', output: binary(0.8) });
    expect((await report()).days[0]).toMatchObject({ predictions: 1, labelled: 1 });
  });

  it('for an unknown prediction is refused whole, after the journal was shipped', async () => {
    const id = await addPrediction({ output: binary(0.9) });
    await expect(log.record([fact(id, true), fact(ids.next(), true)], 'test')).rejects.toThrow(
      UnknownPredictionsError,
    );
    expect(flushes).toBe(1);
    expect((await report()).days[0]).toMatchObject({ labelled: 0 });
  });

  it('for an unknown model is refused', async () => {
    await expect(log.record([{ model: 'nothing', key: 'a', label: true }], 'test')).rejects.toThrow(
      NotFoundError,
    );
  });

  it('repeated counts once, corrected counts as the newest says', async () => {
    const id = await addPrediction({ key: 'a', output: binary(0.9) });
    await log.record([fact(id, true)], 'test');
    await log.record([fact(id, true)], 'test');
    expect((await report()).days[0]).toMatchObject({ labelled: 1, meanLabel: 1 });
    await log.record([{ model: 'late', key: 'a', label: false }], 'test');
    expect((await report()).days[0]).toMatchObject({ labelled: 1, meanLabel: 0 });
  });

  it.each([
    ['binary', { kind: 'binary', threshold: 0.5 }, 'yes'],
    ['binary', { kind: 'binary', threshold: 0.5 }, 2],
    ['multiclass', { kind: 'multiclass', classes: ['a', 'b'] }, 1],
    ['regression', { kind: 'regression' }, true],
  ] as const)('whose type cannot be a %s label is refused', async (kind, output, label) => {
    if (kind !== 'binary') await addModel(kind, output as Signature['output']);
    const model = kind === 'binary' ? 'late' : kind;
    await expect(log.record([{ model, key: 'a', label }], 'test')).rejects.toThrow(LabelMismatchError);
  });
});

/** Mann-Whitney over all pairs: ties count half. */
function aucByPairs(rows: { probability: number; label: boolean }[]): number | null {
  const positives = rows.filter((row) => row.label);
  const negatives = rows.filter((row) => !row.label);
  if (positives.length === 0 || negatives.length === 0) return null;
  let wins = 0;
  for (const p of positives) {
    for (const n of negatives) {
      wins += p.probability > n.probability ? 1 : p.probability === n.probability ? 0.5 : 0;
    }
  }
  return wins / (positives.length * negatives.length);
}

describe('the live report', () => {
  it('is of the days that are asked for, both included, and of none that end before they begin', async () => {
    for (const day of ['2001-01-29', '2001-01-30', '2001-01-31']) {
      clock.set(`${day}T23:59:59.999Z`);
      await addPrediction({ output: binary(0.5) });
    }
    const days = async (from: string, to: string) =>
      (await reportLive({ database: test.database, clock }, { model: 'late', from, to })).days.map(
        ({ day }) => day,
      );
    expect(await days('2001-01-29', '2001-01-30')).toEqual(['2001-01-29', '2001-01-30']);
    expect(await days('2001-01-31', '2001-01-31')).toEqual(['2001-01-31']);
    await expect(days('2001-01-31', '2001-01-30')).rejects.toMatchObject({
      code: 'invalid-request',
      details: { issues: [{ path: 'from', message: 'must not be after to (2001-01-30)' }] },
    });
  });

  it('computes AUC, log loss, Brier score and bias as their definitions say', async () => {
    const row = fc.record({
      probability: fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
      label: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (rows) => {
        await test.database.sql`truncate predictions, ground_truth`;
        const items: GroundTruthItem[] = [];
        for (const { probability, label } of rows) {
          items.push(fact(await addPrediction({ output: binary(probability) }), label));
        }
        await log.record(items, 'test');
        const [day] = (await report()).days;
        const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
        const auc = aucByPairs(rows);
        if (auc === null) expect(day?.metrics.auc).toBeNull();
        else expect(day?.metrics.auc).toBeCloseTo(auc, 9);
        expect(day?.metrics.brier).toBeCloseTo(
          mean(rows.map((r) => (r.probability - Number(r.label)) ** 2)),
          9,
        );
        const likelihood = (r: (typeof rows)[number]) => (r.label ? r.probability : 1 - r.probability);
        const clipped = rows.map((r) => -Math.log(Math.min(1 - 1e-15, Math.max(1e-15, likelihood(r)))));
        expect(day?.metrics.logLoss).toBeCloseTo(mean(clipped), 6);
        const bias = mean(rows.map((r) => r.probability)) - mean(rows.map((r) => Number(r.label)));
        expect(day?.bias).toBeCloseTo(bias, 9);
      }),
      { numRuns: 15 },
    );
  });

  it('grades multiclass decisions and regression values', async () => {
    await addModel('kind', { kind: 'multiclass', classes: ['a', 'b'] });
    await addPrediction({
      model: 'kind',
      key: '1',
      output: { probabilities: { a: 0.75, b: 0.25 }, decision: 'a' },
    });
    await addPrediction({
      model: 'kind',
      key: '2',
      output: { probabilities: { a: 0.5, b: 0.5 }, decision: 'a' },
    });
    const facts = [
      { model: 'kind', key: '1', label: 'a' },
      { model: 'kind', key: '2', label: 'b' },
    ];
    await log.record(facts, 'test');
    const [kind] = (await report('kind')).days;
    expect(kind?.metrics.accuracy).toBe(0.5);
    expect(kind?.metrics.logLoss).toBeCloseTo((-Math.log(0.75) - Math.log(0.5)) / 2, 12);

    await addModel('price', { kind: 'regression' });
    await addPrediction({ model: 'price', key: '1', output: { value: 10 } });
    await addPrediction({ model: 'price', key: '2', output: { value: 20 } });
    const prices = [
      { model: 'price', key: '1', label: 13 },
      { model: 'price', key: '2', label: 16 },
    ];
    await log.record(prices, 'test');
    const [price] = (await report('price')).days;
    expect(price?.metrics.rmse).toBeCloseTo(Math.sqrt((9 + 16) / 2), 12);
    expect(price?.metrics.mae).toBeCloseTo(3.5, 12);
    expect(price?.bias).toBeCloseTo(0.5, 12);
  });

  it('tells days apart by the time of the prediction in UTC', async () => {
    clock.set('2001-02-01T23:59:59.999Z');
    await addPrediction({ output: binary(0.5) });
    clock.set('2001-02-02T00:00:00Z');
    await addPrediction({ output: binary(0.5) });
    expect((await report()).days.map((day) => [day.day, day.predictions])).toEqual([
      ['2001-02-01', 1],
      ['2001-02-02', 1],
    ]);
  });

  it('counts staleness from the end of the champion data', async () => {
    expect((await report()).staleness).toBeNull();
    const at = clock.now();
    await transaction(test.database, (tx) =>
      moveAlias(tx, {
        model: 'late',
        alias: CHAMPION,
        version: 1,
        expectedRevision: 0,
        releaseId: null,
        by: 'test',
        reason: 'test',
        at,
      }),
    );
    clock.advance(36 * 3_600_000);
    expect((await report()).staleness).toMatchObject({ version: 1, days: 1.5 });
  });
});
