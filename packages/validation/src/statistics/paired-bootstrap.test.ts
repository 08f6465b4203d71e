import { describe, expect, it } from 'vitest';
import { AucMetric } from '../metrics/auc.ts';
import { MeanMetric, RootMeanMetric } from '../metrics/mean-metric.ts';
import { simulateBinary } from '../testing/simulated-models.ts';
import { compareAucByDeLong } from './delong.ts';
import { normalQuantile } from './normal.ts';
import { bootstrapDifference, bootstrapMetric } from './paired-bootstrap.ts';
import { RandomStream } from './random.ts';

const OPTIONS = { replicates: 2_000, seed: ['test'] };

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

    expect(found.candidate.estimate).toBeCloseTo(expected.first, 12);
    expect(found.champion.estimate).toBeCloseTo(expected.second, 12);
    expect(found.difference.estimate).toBeCloseTo(expected.difference, 12);
    const tolerance = 0.15 * expected.standardError;
    const { low, high } = found.difference.interval(0.9);
    expect(Math.abs(low - expected.interval.low)).toBeLessThan(tolerance);
    expect(Math.abs(high - expected.interval.high)).toBeLessThan(tolerance);
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
    expect(width(found.difference.interval(0.9))).toBeLessThan(width(found.candidate.interval(0.9)) * 0.9);
  });

  it('gives the same intervals for the same seed and others for another', async () => {
    const metric = new MeanMetric(Float64Array.from({ length: 200 }, (_, row) => Math.sin(row)));
    const interval = async (seed: string) =>
      (await bootstrapMetric(metric, { ...OPTIONS, seed: [seed] }))!.interval(0.9);
    expect(await interval('one')).toEqual(await interval('one'));
    expect(await interval('other')).not.toEqual(await interval('one'));
  });

  it('agrees with the normal interval of a mean', async () => {
    const random = new RandomStream(['mean']);
    const values = Float64Array.from({ length: 4_000 }, () => random.nextFraction());
    const found = (await bootstrapMetric(new MeanMetric(values), OPTIONS))!;
    const mean = found.estimate;
    const standardError = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0)) / values.length;
    const { low, high } = found.interval(0.9);
    expect(low).toBeCloseTo(mean - normalQuantile(0.95) * standardError, 3);
    expect(high).toBeCloseTo(mean + normalQuantile(0.95) * standardError, 3);
  });

  it('is certain of models without error', async () => {
    const perfect = new RootMeanMetric(new Float64Array(50));
    const found = await bootstrapDifference({ candidate: perfect, champion: perfect }, OPTIONS);
    expect(found!.difference.estimate).toBe(0);
    expect(found!.difference.interval(0.9)).toEqual({ low: 0, high: 0, confidence: 0.9 });
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
