import type { FittedFeature, PipelineSpec } from '@perennial/contract';
import {
  boolean,
  categorical,
  crossed,
  notWorse,
  numeric,
  regression,
  timestamp,
  type PipelineInput,
} from '@perennial/pipeline';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataInvalidError } from './errors.ts';
import { TRIPS, Workshop, tripsSpec } from './testing/workshop.ts';
import { embeddingDimension } from './vocabulary.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

/** Rows of {@link TRIPS} that the training split has. */
const TRAIN_ROWS = 168;

/** TRIPS with a column `x` that has these values in the first training rows, and the first of them in all others. */
function valued(values: readonly string[]): string {
  const cases = values.map((value, i) => `WHEN ${i} THEN ${value}`).join(' ');
  return `SELECT *, CASE id ${cases} ELSE ${values[0] ?? 'NULL'} END AS x FROM (${TRIPS})`;
}

/** TRIPS with a column `x0`, `x1`, … for each list of values, filled like {@link valued}. */
function columnsOf(lists: readonly (readonly (number | null)[])[]): string {
  const sql = (value: number | null | undefined) =>
    typeof value === 'number' ? `'${value}'::DOUBLE` : 'NULL::DOUBLE';
  const columns = lists.map((values, i) => {
    const cases = values.map((value, id) => `WHEN ${id} THEN ${sql(value)}`).join(' ');
    return `CASE id ${cases} ELSE ${sql(values[0])} END AS x${i}`;
  });
  return `SELECT *, ${columns.join(', ')} FROM (${TRIPS})`;
}

function trainingValues(values: readonly (number | null)[]): (number | null)[] {
  return Array.from({ length: TRAIN_ROWS }, (_, i) => (i < values.length ? values[i] : values[0]) ?? null);
}

async function fitted(features: PipelineInput['features'], rows: string): Promise<FittedFeature[]> {
  await shop.write('trips.parquet', rows);
  return (await shop.build(tripsSpec({ features }))).manifest.encoder.features;
}

describe('numeric features', () => {
  it('are fitted on the training rows alone', async () => {
    const rows = `SELECT * REPLACE (CASE WHEN id >= ${TRAIN_ROWS} THEN 1e9 ELSE distance END AS distance) FROM (${TRIPS})`;
    const [feature] = await fitted({ distance: numeric() }, rows);
    expect(feature).toMatchObject({
      impute: 350,
      center: 350,
      scale: Number(Math.sqrt(175000 / 6).toPrecision(12)),
    });
  });

  it('agree with the definition for any values, clip, logarithm, imputation and scale', async () => {
    const number = fc.oneof(
      fc.integer({ min: -50, max: 50 }),
      fc.integer({ min: -1e7, max: 1e7 }).map((n) => n / 1000),
    );
    const values = fc.array(fc.option(number, { freq: 4 }), { minLength: 1, maxLength: 12 });
    const setting = fc.record({
      values: values.filter((all) => all.some((value) => value !== null)),
      impute: fc.oneof(
        fc.constantFrom('mean' as const, 'median' as const),
        fc.integer({ min: -20, max: 20 }),
      ),
      scale: fc.constantFrom('standard' as const, 'minMax' as const, 'none' as const),
      clip: fc.constantFrom(undefined, { min: -10 }, { max: 25 }, { min: -5, max: 5 }),
      log: fc.boolean(),
    });
    // Many features in one build: a build takes most of the time.
    await fc.assert(
      fc.asyncProperty(fc.array(setting, { minLength: 10, maxLength: 20 }), async (settings) => {
        const options = settings.map(({ impute, scale, clip, log }) => ({
          impute,
          scale,
          log,
          ...(clip && { clip }),
        }));
        const features = Object.fromEntries(options.map((each, i) => [`x${i}`, numeric(each)]));
        const found = await fitted(features, columnsOf(settings.map((each) => each.values)));
        for (const [i, each] of options.entries()) {
          const feature = found.find(({ name }) => name === `x${i}`);
          expectFit(feature, reference(trainingValues(settings[i]?.values ?? []), each));
        }
      }),
      { numRuns: 3 },
    );
  });

  it('of one value have scale 1, so that they become 0', async () => {
    for (const scale of ['standard', 'minMax'] as const) {
      const [feature] = await fitted({ x: numeric({ scale }) }, valued(['0.1']));
      expect(feature).toMatchObject({ impute: 0.1, center: 0.1, scale: 1 });
    }
  });

  it('take NaN and infinities for missing', async () => {
    const rows = valued(['5.0', `'NaN'::DOUBLE`, `'Infinity'::DOUBLE`, `'-Infinity'::DOUBLE`]);
    await shop.write('trips.parquet', rows);
    const { manifest, card } = await shop.build(tripsSpec({ features: { x: numeric() } }));
    expect(manifest.encoder.features[0]).toMatchObject({ impute: 5, center: 5, scale: 1 });
    expect(card.columns[0]).toMatchObject({ missing: 3, min: 5, max: 5, mean: 5 });
  });

  it('without a single value are refused, unless a number stands for the missing ones', async () => {
    await shop.write('trips.parquet', valued(['NULL::DOUBLE']));
    const build = shop.build(tripsSpec({ features: { x: numeric() } }));
    await expect(build).rejects.toThrow(DataInvalidError);
    await expect(build).rejects.toThrow(
      `features.x): the column 'x' has no value in the training rows to take the mean of`,
    );
    const [feature] = await fitted({ x: numeric({ impute: 3 }) }, valued(['NULL::DOUBLE']));
    expect(feature).toMatchObject({ impute: 3, center: 3, scale: 1 });
  });
});

interface Options {
  impute: 'mean' | 'median' | number;
  scale: 'standard' | 'minMax' | 'none';
  clip?: { min?: number; max?: number };
  log: boolean;
}

function reference(values: readonly (number | null)[], { impute, scale, clip = {}, log }: Options) {
  const clipped = (x: number) => Math.min(Math.max(x, clip.min ?? -Infinity), clip.max ?? Infinity);
  const present = values
    .filter((x) => x !== null)
    .map(clipped)
    .sort((a, b) => a - b);
  const half = (present.length - 1) / 2;
  const median = ((present[Math.floor(half)] ?? 0) + (present[Math.ceil(half)] ?? 0)) / 2;
  const filler = impute === 'mean' ? meanOf(present) : impute === 'median' ? median : impute;
  const final = values.map((x) => {
    const y = clipped(x ?? filler);
    return log ? Math.sign(y) * Math.log(1 + Math.abs(y)) : y;
  });
  const deviation = Math.sqrt(meanOf(final.map((y) => (y - meanOf(final)) ** 2)));
  const range = Math.max(...final) - Math.min(...final);
  switch (scale) {
    case 'none':
      return { impute: filler, center: 0, scale: 1 };
    case 'standard':
      return { impute: filler, center: meanOf(final), scale: deviation > 1e-9 ? deviation : 1 };
    case 'minMax':
      return { impute: filler, center: Math.min(...final), scale: range > 1e-9 ? range : 1 };
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x / values.length, 0);
}

function expectFit(
  feature: FittedFeature | undefined,
  wanted: { impute: number; center: number; scale: number },
): void {
  if (feature?.kind !== 'numeric') throw new Error('no numeric feature');
  expect(feature.impute).toBeCloseTo(wanted.impute, 7);
  expect(feature.center).toBeCloseTo(wanted.center, 7);
  expect(feature.scale).toBeCloseTo(wanted.scale, 6);
}

describe('categories', () => {
  it('are ordered by how often they occur, then by value', async () => {
    const [feature] = await fitted({ origin: categorical() }, TRIPS);
    expect(feature).toEqual({
      kind: 'categorical',
      name: 'origin',
      column: 'origin',
      vocabulary: ['LAX', 'ATL', 'ORD'],
      encoding: { kind: 'embedding', dimension: 4 },
    });
  });

  it('that are too rare, or beyond the maximum, are left out', async () => {
    const rows = valued([
      `'common'`,
      `'rare'`,
      `'twice'`,
      `'twice'`,
      `''`,
      'NULL',
      `'thrice'`,
      `'thrice'`,
      `'thrice'`,
    ]);
    const features = {
      a: categorical({ column: 'x' }),
      b: categorical({ column: 'x', minCount: 2, encoding: 'oneHot' }),
      c: categorical({ column: 'x', maxSize: 2, encoding: { kind: 'embedding', dimension: 7 } }),
      d: categorical({ column: 'x', minCount: 1000 }),
    };
    const [a, b, c, d] = await fitted(features, rows);
    expect(a).toMatchObject({ vocabulary: ['common', 'thrice', 'twice', 'rare'] });
    expect(b).toMatchObject({ vocabulary: ['common', 'thrice', 'twice'], encoding: { kind: 'oneHot' } });
    expect(c).toMatchObject({ vocabulary: ['common', 'thrice'], encoding: { dimension: 7 } });
    expect(d).toMatchObject({ vocabulary: [], encoding: { kind: 'embedding', dimension: 2 } });
  });

  it.each([
    ['integers', ['3', '-1', '-1', '20'], ['3', '-1', '20']],
    ['decimals', ['1.0::DOUBLE', '0.5', '0.5', '-0.0'], ['1', '0.5', '0']],
    ['booleans', ['true', 'false', 'NULL'], ['true', 'false']],
  ])('of numbers and booleans are their text: %s', async (_, values, vocabulary) => {
    const [feature] = await fitted({ x: categorical() }, valued(values));
    expect(feature).toMatchObject({ vocabulary });
  });

  it('that are crossed have a vocabulary each, and as many entries as combinations or buckets', async () => {
    const features = {
      exact: crossed(['origin', 'delay'], { buckets: 4096 }),
      hashed: crossed(['origin', 'delay'], { buckets: 10, minCount: 43 }),
    };
    const [exact, hashed] = await fitted(features, TRIPS);
    if (exact?.kind !== 'crossed') throw new Error('not crossed');
    expect(exact.columns.map(({ column, vocabulary }) => [column, vocabulary.length])).toEqual([
      ['origin', 3],
      ['delay', 30],
    ]);
    expect(exact).toMatchObject({
      buckets: 4096,
      encoding: { kind: 'embedding', dimension: embeddingDimension(5 * 32) },
    });
    expect(hashed).toMatchObject({
      columns: [
        { column: 'origin', vocabulary: ['LAX'] },
        { column: 'delay', vocabulary: [] },
      ],
      encoding: { dimension: embeddingDimension(6) },
    });
  });

  it('have an embedding dimension by fast.ai’s rule, up to 50', () => {
    expect([1, 2, 5, 10, 222, 1000, 100_000].map(embeddingDimension)).toEqual([2, 2, 4, 6, 33, 50, 50]);
  });
});

describe('other features and labels', () => {
  it('come in order of name, with what the encoder needs', async () => {
    const rows = `SELECT *, id % 2 = 0 AS even FROM (${TRIPS})`;
    const found = await fitted(
      { when: timestamp({ column: 'at', parts: ['month'], cyclic: false }), even: boolean() },
      rows,
    );
    expect(found).toEqual([
      { kind: 'boolean', name: 'even', column: 'even' },
      { kind: 'timestamp', name: 'when', column: 'at', parts: ['month'], cyclic: false },
    ]);
  });

  it('fit a regression’s center and scale on the training rows, and summarise every split', async () => {
    await shop.write('trips.parquet', TRIPS);
    const spec: PipelineSpec = tripsSpec({
      label: regression('delay_minutes', { from: 'CASE WHEN id < 168 THEN delay % 2 ELSE delay END' }),
      validate: { gate: notWorse({ metric: 'rmse', margin: 1 }) },
    });
    const { manifest, card } = await shop.build(spec);
    expect(manifest.label).toEqual({ kind: 'regression', name: 'delay_minutes', center: 0.5, scale: 0.5 });
    expect(card.labels.train).toEqual({ mean: 0.5, standardDeviation: 0.5, classes: null });
    expect(card.labels.test.mean).toBe(17.5);
  });
});
