import type { NotWorseSpec } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MetricKindError } from '../errors.ts';
import type { BinaryRows, RegressionRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { simulateEntities, simulateModels, SIMULATED_METRICS } from '../testing/simulated-models.ts';
import {
  estimateDifference,
  estimateMetric,
  sameArtifactEstimate,
  type ComparisonEstimate,
  type ComparisonQuestion,
} from './compare.ts';

type Estimated = Extract<ComparisonEstimate, { kind: 'estimate' }>;
type Rest = Pick<ComparisonQuestion, 'candidate' | 'champion'> & Partial<Omit<ComparisonQuestion, 'spec'>>;

function compare(spec: Partial<NotWorseSpec>, rest: Rest): Promise<ComparisonEstimate> {
  return estimateDifference({
    spec: { kind: 'notWorse', metric: 'auc', margin: 0.01, confidence: 0.95, replicates: 400, ...spec },
    error: 0.05,
    seed: ['compare'],
    clusters: null,
    ...rest,
  });
}

async function estimated(spec: Partial<NotWorseSpec>, rest: Rest): Promise<Estimated> {
  const found = await compare(spec, rest);
  if (found.kind !== 'estimate') throw new Error(found.reason);
  return found;
}

const simulated = (metric: (typeof SIMULATED_METRICS)[number], worseBy: number, rows = 600) =>
  simulateModels(metric, { random: new RandomStream(['compare', metric]), rows, worseBy });

function binary(labels: number[], probability: number[]): BinaryRows {
  return {
    kind: 'binary',
    labels: Uint8Array.from(labels),
    probability: Float32Array.from(probability),
    decision: Uint8Array.from(probability, (value) => (value >= 0.5 ? 1 : 0)),
  };
}

describe('an interval and its p-values', () => {
  it('agree at every margin and error, whichever way the metric points', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SIMULATED_METRICS),
        fc.double({ min: -0.6, max: -0.31, noNaN: true }).map((exponent) => 10 ** (exponent * 10)),
        fc.double({ min: 0, max: 0.2, noNaN: true }),
        async (metric, error, margin) => {
          const models = simulated(metric, 0.02, 120);
          const found = await estimated({ metric, margin, replicates: 150 }, { ...models, error });
          expect(found.pNotWorse < error).toBe(found.difference.interval.low > -margin);
          expect(found.pWorse < error).toBe(found.difference.interval.high < -margin);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are wider and larger the less error is left', async () => {
    const models = simulated('rmse', 0);
    const errors = [0.05, 0.01, 1e-3, 1e-6];
    const found = await Promise.all(
      errors.map((error) => estimated({ metric: 'rmse', margin: 0.3 }, { ...models, error })),
    );
    found.slice(1).forEach((wider, index) => {
      expect(wider.difference.interval.low).toBeLessThan(found[index]!.difference.interval.low);
      expect(wider.difference.interval.high).toBeGreaterThan(found[index]!.difference.interval.high);
    });
    expect(found.map(({ difference }) => difference.interval.confidence)).toEqual([
      0.9, 0.98, 0.998, 0.999998,
    ]);
    // A p-value is of the rows and the margin, whatever error is allowed; so are the intervals of the two models by themselves.
    expect(new Set(found.map(({ pNotWorse }) => pNotWorse)).size).toBe(1);
    expect(new Set(found.map(({ candidate }) => candidate.interval.confidence))).toEqual(new Set([0.9]));
  });

  it.each([
    { metric: 'auc', by: 0.1 },
    { metric: 'logLoss', by: 0.02 },
    { metric: 'accuracy', by: 0.1 },
    { metric: 'rmse', by: 2 },
  ] as const)('tell better from worse by $metric', async ({ metric, by }) => {
    const better = await estimated({ metric, margin: 0 }, simulated(metric, -by, 10_000));
    expect(better.difference.value).toBeGreaterThan(0);
    expect(better.pNotWorse).toBeLessThan(1e-4);
    expect(better.pWorse).toBeGreaterThan(0.99);
    const worse = await estimated({ metric, margin: 0 }, simulated(metric, by, 10_000));
    expect(worse.difference.value).toBeLessThan(0);
    expect(worse.pNotWorse).toBeGreaterThan(0.99);
    expect(worse.pWorse).toBeLessThan(1e-4);
  });
});

describe('estimateDifference', () => {
  it('gives the values, their difference turned so that more is better, and how it was made', async () => {
    const models = simulated('rmse', 1);
    const found = await estimated({ metric: 'rmse', margin: 0.3, replicates: 1_000 }, models);
    expect(found.difference.value).toBeCloseTo(found.champion.value - found.candidate.value, 12);
    expect(found.difference.interval.low).toBeLessThan(found.difference.value);
    expect(found.candidate.interval.low).toBeLessThan(found.candidate.value);
    expect(found.candidate.interval.high).toBeGreaterThan(found.candidate.value);
    expect(found.method).toBe('paired bootstrap, BCa, 1,000 replicates of rows');
  });

  it('gives the same for the same seed, and other bounds of the same difference for another', async () => {
    const models = simulated('auc', 0);
    expect(await compare({}, models)).toEqual(await compare({}, models));
    const other = await estimated({}, { ...models, seed: ['other'] });
    const first = await estimated({}, models);
    expect(other.difference.interval).not.toEqual(first.difference.interval);
    expect(other.difference.value).toBe(first.difference.value);
  });

  it('does the same with weights on rows and with sums, on either side of where it changes over', async () => {
    const ends = await Promise.all(
      [19_999, 20_000].map(async (rows) => {
        const found = await estimated({ replicates: 1_000 }, simulated('auc', 0, rows));
        return found.difference.interval;
      }),
    );
    const width = ends[0]!.high - ends[0]!.low;
    expect(Math.abs(ends[1]!.low - ends[0]!.low) / width).toBeLessThan(0.1);
    expect(Math.abs(ends[1]!.high - ends[0]!.high) / width).toBeLessThan(0.1);
  });

  it('stops when asked', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(compare({}, { ...simulated('auc', 0), signal })).rejects.toThrow('enough');
  });

  it('refuses a metric of another kind of label', async () => {
    await expect(compare({ metric: 'auc' }, simulated('rmse', 0))).rejects.toThrow(MetricKindError);
  });

  it('does not take accuracy for proven where two models decide alike', async () => {
    const labels = Array.from({ length: 100 }, (_, row) => row % 2);
    const sure = binary(
      labels,
      labels.map((label) => 0.2 + 0.6 * label),
    );
    const surer = binary(
      labels,
      labels.map((label) => 0.1 + 0.8 * label),
    );
    const at = (margin: number) =>
      estimated({ metric: 'accuracy', margin }, { candidate: sure, champion: surer });
    expect((await at(0.005)).pNotWorse).toBeGreaterThan(0.05);
    expect((await at(0.02)).pNotWorse).toBeLessThan(0.05);
  });
});

describe('rows that say too little', () => {
  it.each([0, 1])('have no AUC where all labels are %i, and say so', async (label) => {
    const rows = binary(
      new Array<number>(120).fill(label),
      Array.from({ length: 120 }, (_, row) => row / 120),
    );
    expect(await compare({}, { candidate: rows, champion: rows })).toEqual({
      kind: 'undefined',
      reason: 'AUC cannot be computed on 120 test rows: they all have the same label.',
      candidate: null,
      champion: null,
    });
  });

  it('are none at all', async () => {
    const none = binary([], []);
    expect(await compare({}, { candidate: none, champion: none })).toMatchObject({
      kind: 'undefined',
      reason: 'There are no test rows to compute AUC on.',
    });
  });

  it('are fewer than fifty, or hardly any of one label: their values are told', async () => {
    const few = simulated('rmse', 0, 49);
    expect(await compare({ metric: 'rmse' }, few)).toMatchObject({
      kind: 'shortage',
      reason: 'There are 49 test rows, and at least 50 are needed.',
      candidate: expect.any(Number) as number,
    });
    const labels = Array.from({ length: 400 }, (_, row) => (row < 4 ? 1 : 0));
    const rows = binary(
      labels,
      labels.map((label, row) => label * 0.5 + (row % 7) / 100),
    );
    expect(await compare({}, { candidate: rows, champion: rows })).toMatchObject({
      kind: 'shortage',
      reason: 'The rarer label has 4 of the rows, and at least 10 are needed.',
      candidate: 1,
    });
  });
});

describe('clusters', () => {
  const entities = (count: number) =>
    simulateEntities({
      random: new RandomStream(['clusters']),
      entities: count,
      rowsPerEntity: 20,
      worseBy: 0,
    });

  it('widen the interval where their rows are alike', async () => {
    const { candidate, champion, clusters } = entities(60);
    const width = async (of: Int32Array | null) => {
      const { interval } = (
        await estimated({ metric: 'rmse', cluster: 'entity' }, { candidate, champion, clusters: of })
      ).difference;
      return interval.high - interval.low;
    };
    expect(await width(clusters)).toBeGreaterThan(1.5 * (await width(null)));
  });

  it('are named in the method, counted without those that have no rows', async () => {
    const { clusters, ...models } = entities(40);
    const sparse = clusters.map((cluster) => cluster * 7 + 3);
    const found = await estimated({ metric: 'rmse', cluster: 'day' }, { ...models, clusters: sparse });
    expect(found.method).toBe('paired bootstrap, BCa, 400 replicates of 40 days');
    expect(found).toEqual(await estimated({ metric: 'rmse', cluster: 'day' }, { ...models, clusters }));
  });

  it('of one row each are the rows', async () => {
    const models = simulated('rmse', 0);
    const clusters = Int32Array.from({ length: 600 }, (_, row) => row);
    const clustered = await estimated({ metric: 'rmse', cluster: 'entity' }, { ...models, clusters });
    const plain = await estimated({ metric: 'rmse' }, models);
    expect(clustered.difference.interval.low).toBeCloseTo(plain.difference.interval.low, 9);
    expect(clustered.difference.interval.high).toBeCloseTo(plain.difference.interval.high, 9);
  });

  it('of many rows are resampled by their sums, to the same interval', async () => {
    const { random, size } = {
      random: new RandomStream(['many']),
      size: { entities: 1_500, rowsPerEntity: 20 },
    };
    const { candidate, champion, clusters } = simulateEntities({ random, ...size, worseBy: 0 });
    const found = await estimated(
      { metric: 'rmse', cluster: 'entity', replicates: 2_000 },
      { candidate, champion, clusters },
    );
    // The standard error of the mean difference of the entities' squared errors, carried over to the root: RMSE is 10.
    const gaps = new Float64Array(1_500);
    clusters.forEach(
      (cluster, row) => (gaps[cluster]! += (candidate.value[row]! ** 2 - champion.value[row]! ** 2) / 20),
    );
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    const expected = (2 * 1.645 * Math.sqrt(variance / gaps.length)) / 20;
    const { low, high } = found.difference.interval;
    expect(Math.abs((high - low) / expected - 1)).toBeLessThan(0.1);
  });

  it('are too few below twenty, or where the rarer label occurs in few', async () => {
    const { candidate, champion, clusters } = entities(19);
    const question = { candidate, champion, clusters };
    expect(await compare({ metric: 'rmse', cluster: 'day' }, question)).toMatchObject({
      kind: 'shortage',
      reason: 'There are 19 days, and at least 20 are needed.',
    });
    const labels = Array.from({ length: 400 }, (_, row) => (row < 100 && row % 2 === 0 ? 1 : 0));
    const rows = binary(
      labels,
      labels.map((_, row) => (row % 11) / 11),
    );
    const ofTwenty = Int32Array.from(labels, (_, row) => Math.floor(row / 20));
    expect(
      await compare({ cluster: 'entity' }, { candidate: rows, champion: rows, clusters: ofTwenty }),
    ).toMatchObject({
      kind: 'shortage',
      reason: 'The rarer label occurs in 5 entities, and at least 10 are needed.',
    });
  });
});

describe('a model by itself', () => {
  it('has a value and an interval, or none where the metric has none', async () => {
    const { candidate } = simulated('auc', 0);
    const options = { confidence: 0.9, replicates: 400, seed: ['alone'] };
    const found = (await estimateMetric({ metric: 'auc', scored: candidate, ...options }))!;
    expect(found.interval.low).toBeLessThan(found.value);
    expect(found.interval.high).toBeGreaterThan(found.value);
    expect(found.interval.confidence).toBe(0.9);
    expect(await estimateMetric({ metric: 'auc', scored: binary([1, 1], [0, 1]), ...options })).toBeNull();
  });

  it('cannot be worse than itself, even without a margin', async () => {
    const value = { value: 0.75, interval: { low: 0.7, high: 0.8, confidence: 0.9 } };
    expect(sameArtifactEstimate(value, 0.05)).toEqual({
      kind: 'estimate',
      candidate: value,
      champion: value,
      difference: { value: 0, interval: { low: 0, high: 0, confidence: 0.9 } },
      pNotWorse: 0,
      pWorse: 1,
      method: 'the same file, nothing to compare',
    });
  });

  it('compared with the same answers differs by nothing', async () => {
    const rows: RegressionRows = {
      kind: 'regression',
      labels: Float64Array.from({ length: 100 }, (_, row) => row),
      value: Float32Array.from({ length: 100 }, (_, row) => row + (row % 3)),
    };
    const found = await estimated({ metric: 'mae', margin: 0.1 }, { candidate: rows, champion: rows });
    expect(found.difference).toEqual({ value: 0, interval: { low: 0, high: 0, confidence: 0.9 } });
    expect([found.pNotWorse, found.pWorse]).toEqual([0, 1]);
  });
});
