import { MISSING_TIMESTAMP, type BehaviourSpec, type DatasetManifest } from '@perennial/contract';
import { InferenceFailedError, type ColumnBatch } from '@perennial/onnx';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RandomStream } from '../../statistics/random.ts';
import {
  FLIGHT_ENCODER,
  flights,
  openFlightModel,
  sampleOf,
  type FlightWeights,
} from '../../testing/flight-artifact.ts';
import { BINARY_LABEL, REGRESSION_LABEL } from '../../testing/linear-artifact.ts';
import { checkExpectations } from './expectations.ts';
import { checkExtremeNumbers } from './extreme-numbers.ts';
import { checkMissingValues } from './missing-values.ts';
import { checkUnknownCategories } from './unknown-categories.ts';

const opened: { release(): Promise<void> }[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.release();
});

async function open(
  weights: FlightWeights,
  options: Partial<Omit<Parameters<typeof openFlightModel>[0], 'weights'>> = {},
) {
  const model = await openFlightModel({ label: BINARY_LABEL, ...options, weights });
  opened.push(model.inference);
  return model;
}

const ROWS = 200;
const SAMPLE = sampleOf(flights(new RandomStream(['behaviour']), ROWS));
/** A model that takes every kind of feature into account, and answers whatever it is asked. */
const SOUND: FlightWeights = [
  { distance: -0.5, weekend: 0.3, 'date:hourOfDay': 0.2, 'origin=ORD': 1, 'destination=ATL': -1 },
];
/** Missing distances become as large as a scaled value gets, which a weight of 1e30 takes beyond what a float32 holds. */
const UNPREPARED: DatasetManifest['encoder'] = {
  ...FLIGHT_ENCODER,
  features: FLIGHT_ENCODER.features.map((feature) =>
    feature.kind === 'numeric' ? { ...feature, impute: 1e300 } : feature,
  ),
};

describe('a sound model', () => {
  it('answers missing values, unknown categories and extreme numbers', async () => {
    const model = await open(SOUND);
    const question = { model, sample: SAMPLE };
    // Five columns and all of them; two text columns and both; five numbers and two instants.
    expect(await checkMissingValues(question)).toEqual([
      {
        name: 'missing-values',
        subject: null,
        outcome: 'pass',
        explanation: '200 test rows, each asked in 6 such ways, all have an answer.',
        measured: 0,
        limit: 0,
      },
    ]);
    expect(await checkUnknownCategories(question)).toMatchObject([
      {
        name: 'unknown-categories',
        outcome: 'pass',
        explanation: expect.stringContaining('3 such ways') as string,
      },
    ]);
    expect(await checkExtremeNumbers(question)).toMatchObject([
      {
        name: 'extreme-numbers',
        outcome: 'pass',
        explanation: expect.stringContaining('7 such ways') as string,
      },
    ]);
  });
});

describe('the check of missing values', () => {
  it('names each column without which there is no answer', async () => {
    const findings = await checkMissingValues({
      model: await open([{ distance: 1e30 }], { label: REGRESSION_LABEL, encoder: UNPREPARED }),
      sample: SAMPLE,
    });
    expect(findings).toMatchObject([
      {
        subject: "'distance'",
        outcome: 'fail',
        explanation: "With 'distance' missing it answers Infinity in 200 of 200 test rows.",
        measured: 200,
      },
      { subject: 'every column', outcome: 'fail' },
    ]);
  });

  it('finds the one variation that the runtime refuses, though many run together', async () => {
    const model = await open(SOUND);
    const refuses = (batch: ColumnBatch) => (batch.columns['origin'] as string[]).includes('');
    const findings = await checkMissingValues({
      model: {
        ...model,
        run: (batch) =>
          refuses(batch) ? Promise.reject(new InferenceFailedError('no such category')) : model.run(batch),
      },
      sample: SAMPLE,
    });
    expect(findings.map(({ subject }) => subject)).toEqual(["'origin'", 'every column']);
    expect(findings[0]!.explanation).toContain('it does not run (Inference failed: no such category)');
  });

  it('says nothing without rows', async () => {
    const empty = flights(new RandomStream(['none']), 0);
    const question = { model: await open(SOUND), sample: sampleOf(empty) };
    expect(await checkMissingValues(question)).toMatchObject([{ outcome: 'skipped', measured: null }]);
  });

  it('asks about a thousand rows at most, and stops when told', async () => {
    const model = await open(SOUND);
    const sample = sampleOf(flights(new RandomStream(['many']), 1_500));
    const [finding] = await checkMissingValues({ model, sample });
    expect(finding!.explanation).toContain('1,000 test rows');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(checkMissingValues({ model, sample, signal })).rejects.toThrow('enough');
  });
});

describe('the check of unknown categories', () => {
  it('names the column whose unknown values have no answer', async () => {
    const findings = await checkUnknownCategories({
      model: await open([{ 'origin:other': Number.NaN, 'origin=ORD': 1 }]),
      sample: SAMPLE,
    });
    // Zero times NaN is NaN: this model answers nothing at all.
    expect(findings.every(({ outcome }) => outcome === 'fail')).toBe(true);
    expect(findings.map(({ subject }) => subject)).toEqual([
      "'origin'",
      "'destination'",
      'every text column',
    ]);
  });

  it('says nothing of a model that takes no text', async () => {
    const encoder = {
      columns: FLIGHT_ENCODER.columns.slice(0, 1),
      features: FLIGHT_ENCODER.features.slice(0, 1),
    };
    const question = { model: await open([{ distance: 1 }], { encoder }), sample: SAMPLE };
    expect(await checkUnknownCategories(question)).toMatchObject([
      { outcome: 'skipped', explanation: 'The model takes no text.' },
    ]);
  });
});

describe('the check of extreme numbers', () => {
  it('names the column that drives an answer out of all numbers, and every value that does', async () => {
    const model = await open([{ distance: 1e30, weekend: 1 }], { label: REGRESSION_LABEL });
    expect(await checkExtremeNumbers({ model, sample: SAMPLE })).toMatchObject([
      {
        subject: "'distance'",
        outcome: 'fail',
        explanation:
          "With 'distance' at 1e30 it answers Infinity in 200 of 200 test rows. So it is at -1e30, at the largest float32, at the lowest float32.",
      },
    ]);
  });
});

describe("the check of the author's expectations", () => {
  const expectation = (spec: Partial<BehaviourSpec>): BehaviourSpec => ({
    kind: 'increasing',
    column: 'distance',
    tolerance: 0,
    allow: 0,
    ...spec,
  });
  async function check(weights: FlightWeights, spec: Partial<BehaviourSpec>, sample = SAMPLE) {
    const model = await open(weights);
    const [finding] = await checkExpectations({ model, sample, behaviour: [expectation(spec)] });
    return finding!;
  }

  it('holds a direction against a model for any weight', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -20, max: 20 }),
        fc.constantFrom('increasing' as const, 'decreasing' as const),
        async (weight, kind) => {
          const { outcome, measured } = await check([{ distance: weight / 10 }], { kind });
          const broken = kind === 'increasing' ? weight < 0 : weight > 0;
          expect(outcome).toBe(broken ? 'fail' : 'pass');
          if (!broken) expect(measured).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('names the first rows that break it, by their numbers in the split, with values before and after', async () => {
    const { subject, outcome, explanation, measured, limit } = await check([{ distance: -1 }], { by: 1 });
    const before = (SAMPLE.batch.columns['distance'] as Float64Array)[0]!;
    const answer = (x: number): string => String(Number((1 / (1 + Math.exp(x))).toPrecision(3)));
    expect({ subject, outcome, measured, limit }).toEqual({
      subject: 'increasing: distance',
      outcome: 'fail',
      measured: 1,
      limit: 0,
    });
    expect(explanation).toContain('in 200 of 200 test rows (100 %, of which 0 % is allowed) it is not so');
    const named = /row 0 \((\S+) → (\S+): (\S+) → (\S+)\), row 3 \(.*\), row 6 \(.*\)\.$/.exec(explanation)!;
    expect(Number(named[1])).toBeCloseTo(before, 4);
    expect(Number(named[2])).toBeCloseTo(before + 1, 4);
    expect(Number(Number(named[3]).toPrecision(3))).toBe(Number(answer(before)));
    expect(Number(Number(named[4]).toPrecision(3))).toBe(Number(answer(before + 1)));
  });

  it('lets as large a share of the rows break it as the author allows', async () => {
    // Only rows from ORD are moved by another origin, or moved to.
    const moved = await check([{ 'origin=ORD': 1 }], { kind: 'invariant', column: 'origin' });
    expect(moved.outcome).toBe('fail');
    expect(moved.measured).toBeGreaterThan(0.3);
    expect(moved.measured).toBeLessThan(1);
    const allowed = { kind: 'invariant' as const, column: 'origin', allow: moved.measured! };
    expect((await check([{ 'origin=ORD': 1 }], allowed)).outcome).toBe('pass');
  });

  it('passes a small move within the tolerance', async () => {
    const spec = { kind: 'invariant' as const, column: 'weekend' };
    expect((await check([{ weekend: 0.04 }], spec)).outcome).toBe('fail');
    expect((await check([{ weekend: 0.04 }], { ...spec, tolerance: 0.02 })).outcome).toBe('pass');
  });

  it('finds an answer that a column does not move invariant, whatever else does', async () => {
    const { outcome, measured, explanation } = await check(SOUND, {
      kind: 'invariant',
      column: 'destination',
      tolerance: 0.5,
    });
    expect({ outcome, measured }).toEqual({ outcome: 'pass', measured: 0 });
    expect(explanation).toMatch(
      /^Another 'destination' does not move the answer: so it is in all \d+ test rows/,
    );
  });

  it('raises times by milliseconds, and a flag from false to true', async () => {
    // An hour later is an hour of the day more, but at midnight.
    const later = { column: 'date', by: 3_600_000 };
    expect((await check([{ 'date:hourOfDay': 1 }], later)).measured).toBeCloseTo(1 / 24, 1);
    const weekend = await check([{ weekend: -1 }], { column: 'weekend' });
    expect(weekend).toMatchObject({ outcome: 'fail', measured: 1 });
    expect(weekend.explanation).toContain('(false → true: ');
    // The rows that are true already cannot be raised.
    const flags = SAMPLE.batch.columns['weekend'] as Float64Array;
    const off = flags.filter((flag) => flag === 0).length;
    expect(weekend.explanation).toContain(`in ${off} of ${off} test rows`);
  });

  it('leaves missing values alone', async () => {
    const batch = flights(new RandomStream(['missing']), 4);
    const columns = {
      ...batch.columns,
      distance: Float64Array.of(NaN, 1, 2, NaN),
      date: BigInt64Array.of(MISSING_TIMESTAMP, MISSING_TIMESTAMP, 0n, 1n),
    };
    const sample = sampleOf({ ...batch, columns });
    expect((await check([{ distance: -1 }], {}, sample)).explanation).toContain('in 2 of 2 test rows');
    const date = await check([{ 'date:hourOfDay': -1 }], { column: 'date', by: 7_200_000 }, sample);
    expect(date.explanation).toContain('in 2 of 2 test rows');
    expect(date.explanation).toContain('1970-01-01T00:00:00.000Z → 1970-01-01T02:00:00.000Z');
  });

  it.each<[string, Partial<BehaviourSpec>, string]>([
    ['text has no direction', { column: 'origin' }, 'is text'],
    ['the model does not take the column', { column: 'carrier' }, "does not take the column 'carrier'"],
  ])('says nothing where %s', async (_, spec, reason) => {
    expect(await check(SOUND, spec)).toMatchObject({
      outcome: 'skipped',
      explanation: expect.stringContaining(reason) as string,
      measured: null,
    });
  });

  it('says nothing where all rows have one value, or there are none', async () => {
    const batch = flights(new RandomStream(['one']), 3);
    const same = { ...batch.columns, origin: ['ORD', 'ORD', 'ORD'], distance: Float64Array.of(2, 2, 2) };
    const sample = sampleOf({ rows: 3, columns: same });
    expect(await check(SOUND, { kind: 'invariant', column: 'origin' }, sample)).toMatchObject({
      outcome: 'skipped',
    });
    expect(await check(SOUND, {}, sample)).toMatchObject({ outcome: 'skipped' });
    const none = sampleOf(flights(new RandomStream(['none']), 0));
    expect(await check(SOUND, {}, none)).toMatchObject({ outcome: 'skipped' });
  });

  it('has no direction for many classes, and follows the one that moves most', async () => {
    const label = { kind: 'multiclass' as const, name: 'arrival', classes: ['early', 'on time', 'late'] };
    const model = await open([{}, { distance: 0.1 }, { distance: 1 }], { label });
    const behaviour = [expectation({}), expectation({ kind: 'invariant', tolerance: 0.2 })];
    const [direction, invariance] = await checkExpectations({ model, sample: SAMPLE, behaviour });
    expect(direction).toMatchObject({ outcome: 'skipped' });
    expect(invariance).toMatchObject({ outcome: 'fail', subject: 'invariant: distance' });
  });

  it('does not take an answer that is no number for one that stays', async () => {
    const model = await open([{ distance: 1e30 }], { label: REGRESSION_LABEL, encoder: UNPREPARED });
    const batch = flights(new RandomStream(['infinite']), 4);
    const distance = Float64Array.of(0, NaN, 0, NaN);
    const sample = sampleOf({ ...batch, columns: { ...batch.columns, distance } });
    const behaviour = [expectation({ kind: 'invariant', tolerance: 1 })];
    const [finding] = await checkExpectations({ model, sample, behaviour });
    expect(finding).toMatchObject({ outcome: 'fail', measured: 1 });
    expect(finding!.explanation).toContain(
      'row 0 (0 → missing: 0 → Infinity), row 3 (missing → 0: Infinity → 0)',
    );
  });

  it('fails where the model cannot be asked', async () => {
    const model = await open(SOUND);
    await model.inference.release();
    const [finding] = await checkExpectations({ model, sample: SAMPLE, behaviour: [expectation({})] });
    expect(finding).toMatchObject({ outcome: 'fail', measured: null });
    expect(finding!.explanation).toContain('could not be asked');
  });

  it('has nothing to say where the author expects nothing', async () => {
    expect(await checkExpectations({ model: await open(SOUND), sample: SAMPLE, behaviour: [] })).toEqual([]);
  });
});
