import { describe, expect, it } from 'vitest';
import { AucMetric } from '../metrics/auc.ts';
import { MeanMetric, RootMeanMetric } from '../metrics/mean-metric.ts';
import { simulateBinary } from '../testing/simulated-models.ts';
import { bcaInterval } from './bca.ts';
import { compareAucByDeLong } from './delong.ts';
import { normalQuantile } from './normal.ts';
import { bootstrapDifference, bootstrapMetric } from './paired-bootstrap.ts';
import { pairedProportionInterval } from './paired-proportions.ts';
import { RandomStream } from './random.ts';

const OPTIONS = { replicates: 2_000, confidence: 0.9, seed: ['test'] };

describe('compareAucByDeLong', () => {
  it('has the variance that its definition over all pairs gives', () => {
    const labels = Uint8Array.from([1, 1, 1, 0, 0, 0, 0]);
    const first = Float32Array.from([0.9, 0.6, 0.4, 0.4, 0.3, 0.7, 0.1]);
    const second = Float32Array.from([0.5, 0.8, 0.2, 0.6, 0.1, 0.3, 0.2]);
    const order = (a: number, b: number): number => (a > b ? 1 : a === b ? 0.5 : 0);
    const positive = [0, 1, 2];
    const negative = [3, 4, 5, 6];
    const gap = (i: number, j: number): number => order(first[i]!, first[j]!) - order(second[i]!, second[j]!);
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = (values: number[]): number =>
      values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
    const ofPositive = positive.map((i) => mean(negative.map((j) => gap(i, j))));
    const ofNegative = negative.map((j) => mean(positive.map((i) => gap(i, j))));

    const found = compareAucByDeLong({ labels, first, second }, 0.9)!;

    expect(found.difference).toBeCloseTo(mean(ofPositive), 12);
    expect(found.standardError).toBeCloseTo(
      Math.sqrt(variance(ofPositive) / 3 + variance(ofNegative) / 4),
      12,
    );
    expect(found.interval.high - found.difference).toBeCloseTo(
      normalQuantile(0.95) * found.standardError,
      12,
    );
  });

  it('has nothing to say of a single row of one kind', () => {
    const scores = Float32Array.from([0.1, 0.2, 0.3]);
    expect(
      compareAucByDeLong({ labels: Uint8Array.from([1, 0, 0]), first: scores, second: scores }, 0.9),
    ).toBeNull();
  });
});

describe('bootstrapDifference', () => {
  it('agrees with DeLong on the difference of two AUCs', async () => {
    const { labels, candidate, champion } = simulateBinary({
      random: new RandomStream(['agree']),
      rows: 3_000,
      candidateAuc: 0.78,
      championAuc: 0.76,
    });
    const expected = compareAucByDeLong({ labels, first: candidate, second: champion }, 0.9)!;
    const found = (await bootstrapDifference(
      { candidate: new AucMetric(labels, candidate), champion: new AucMetric(labels, champion) },
      OPTIONS,
    ))!;

    expect(found.candidate.value).toBeCloseTo(expected.first, 12);
    expect(found.champion.value).toBeCloseTo(expected.second, 12);
    expect(found.difference.value).toBeCloseTo(expected.difference, 12);
    const tolerance = 0.15 * expected.standardError;
    expect(Math.abs(found.difference.interval.low - expected.interval.low)).toBeLessThan(tolerance);
    expect(Math.abs(found.difference.interval.high - expected.interval.high)).toBeLessThan(tolerance);
  });

  it('is narrower than the intervals of its parts, because both are scored on the same resample', async () => {
    const { labels, candidate, champion } = simulateBinary({
      random: new RandomStream(['narrow']),
      rows: 2_000,
      candidateAuc: 0.75,
      championAuc: 0.75,
    });
    const found = (await bootstrapDifference(
      { candidate: new AucMetric(labels, candidate), champion: new AucMetric(labels, champion) },
      OPTIONS,
    ))!;
    const width = ({ low, high }: { low: number; high: number }): number => high - low;
    expect(width(found.difference.interval)).toBeLessThan(width(found.candidate.interval) * 0.9);
  });

  it('gives the same intervals for the same seed and others for another', async () => {
    const metric = new MeanMetric(Float64Array.from({ length: 200 }, (_, row) => Math.sin(row)));
    const first = await bootstrapMetric(metric, OPTIONS);
    expect(await bootstrapMetric(metric, OPTIONS)).toEqual(first);
    expect((await bootstrapMetric(metric, { ...OPTIONS, seed: ['other'] }))!.interval).not.toEqual(
      first!.interval,
    );
  });

  it('agrees with the normal interval of a mean', async () => {
    const random = new RandomStream(['mean']);
    const values = Float64Array.from({ length: 4_000 }, () => random.nextFraction());
    const { value, interval } = (await bootstrapMetric(new MeanMetric(values), OPTIONS))!;
    const standardError = Math.sqrt(values.reduce((sum, x) => sum + (x - value) ** 2, 0)) / values.length;
    expect(interval.low).toBeCloseTo(value - normalQuantile(0.95) * standardError, 3);
    expect(interval.high).toBeCloseTo(value + normalQuantile(0.95) * standardError, 3);
  });

  it('is certain of models without error', async () => {
    const perfect = new RootMeanMetric(new Float64Array(50));
    const found = await bootstrapDifference({ candidate: perfect, champion: perfect }, OPTIONS);
    expect(found!.difference).toEqual({ value: 0, interval: { low: 0, high: 0, confidence: 0.9 } });
  });

  it('has nothing to say where a metric is undefined, on the rows or on most resamples', async () => {
    const scores = Float32Array.from([0.1, 0.2]);
    expect(await bootstrapMetric(new AucMetric(Uint8Array.from([1, 1]), scores), OPTIONS)).toBeNull();
    // With one row of each kind 60 % of the resamples lack one.
    expect(await bootstrapMetric(new AucMetric(Uint8Array.from([1, 0]), scores), OPTIONS)).toBeNull();
  });

  it('lets the event loop turn, tells how far it is, and stops when asked', async () => {
    const stop = new AbortController();
    const progress: number[] = [];
    const working = bootstrapMetric(new MeanMetric(new Float64Array(1_000_000)), {
      ...OPTIONS,
      onProgress: (done) => progress.push(done),
      signal: stop.signal,
    });
    setImmediate(() => stop.abort(new Error('enough')));
    await expect(working).rejects.toThrow('enough');
    expect(progress[0]).toBe(0);
    expect(progress.at(-1)).toBeLessThan(0.1);
  });
});

describe('bcaInterval', () => {
  const uniform = Float64Array.from({ length: 999 }, (_, index) => (index + 1) / 1_000);

  it('is the plain percentile interval without bias and acceleration', () => {
    const { low, high } = bcaInterval(
      { estimate: 0.5, replicates: uniform, influence: Float64Array.from([-1, 1]) },
      0.9,
    );
    expect(low).toBeCloseTo(0.05, 6);
    expect(high).toBeCloseTo(0.95, 6);
  });

  it('moves up when most replicates lie below the estimate, as in Efron (1987), equation 2.3', () => {
    // z₀ = Φ⁻¹(0.6) and a = 0: the ends stand at Φ(2 z₀ ± 1.645).
    const { low, high } = bcaInterval(
      { estimate: 0.6, replicates: uniform, influence: new Float64Array(2) },
      0.9,
    );
    expect(low).toBeCloseTo(0.1273, 3);
    expect(high).toBeCloseTo(0.9843, 3);
  });

  it('moves up when the rows that count are skewed upwards', () => {
    const skewed = Float64Array.from([-1, -1, -1, -1, 4]);
    const { low, high } = bcaInterval({ estimate: 0.5, replicates: uniform, influence: skewed }, 0.9);
    expect(low).toBeGreaterThan(0.05);
    expect(high).toBeGreaterThan(0.95);
  });

  it('stays within the replicates when all lie on one side of the estimate', () => {
    const interval = bcaInterval({ estimate: 2, replicates: uniform, influence: new Float64Array(2) }, 0.9);
    expect(interval.high).toBeLessThanOrEqual(0.999);
    expect(interval.low).toBeGreaterThan(0.9);
  });
});

describe('pairedProportionInterval', () => {
  it('has the published values of Agresti & Min for the approval ratings of two surveys', () => {
    // 1,600 rows of which 150 and 86 disagree: Wald gives (0.021, 0.059) at 95 %, and half a row more changes the fourth digit.
    const { low, high } = pairedProportionInterval({ onlyFirst: 150, onlySecond: 86, rows: 1_600 }, 0.95);
    expect(low).toBeCloseTo(0.021, 3);
    expect(high).toBeCloseTo(0.0587, 3);
  });

  it('is not certain where the two never disagree', () => {
    const { low, high } = pairedProportionInterval({ onlyFirst: 0, onlySecond: 0, rows: 100 }, 0.9);
    expect(high).toBeCloseTo(1.645 / 102, 4);
    expect(low).toBeCloseTo(-high, 12);
  });
});
