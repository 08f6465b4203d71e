import { describe, expect, it } from 'vitest';
import { AucMetric } from '../metrics/auc.ts';
import { MeanMetric, RootMeanMetric } from '../metrics/mean-metric.ts';
import { plainValue, type RowMetric } from '../metrics/row-metric.ts';
import { differenceOfSums } from '../metrics/row-sums.ts';
import { simulateBinary } from '../testing/simulated-models.ts';
import { BinnedUnits } from './binned-units.ts';
import { compareAucByDeLong } from './delong.ts';
import { drawDirectly } from './direct-replicates.ts';
import { RandomStream } from './random.ts';

const REPLICATES = 2_000;

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Largest distance of two empirical distribution functions (Kolmogorov & Smirnov). */
function distance(first: Float64Array, second: Float64Array): number {
  const [a, b] = [first.toSorted(), second.toSorted()];
  let largest = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i]! <= b[j]!) i++;
    else j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/** Replicates of the difference of two metrics, in bins and with every row weighed. */
async function bothWays(candidate: RowMetric, champion: RowMetric) {
  const ofChampion = champion.influence()!;
  const influence = candidate.influence()!.map((value, row) => value - ofChampion[row]!);
  const sums = differenceOfSums(candidate.sums!(), champion.sums!());
  const units = new BinnedUnits({ sums, influence, rows: candidate.rows }, new RandomStream(['binned']));
  const binned = Float64Array.from({ length: REPLICATES }, () => units.draw()!);
  const [first, second] = (await drawDirectly([candidate, champion], {
    replicates: REPLICATES,
    seed: ['direct'],
    clusters: null,
  }))!;
  return { binned, direct: first!.map((value, draw) => value - second![draw]!) };
}

/** Standard errors of two samples of 2,000 differ by 2.2 % by chance; three times that once in 400. */
const THREE_STANDARD_ERRORS = 3 * Math.SQRT2 * Math.sqrt(1 / (2 * REPLICATES));
/** Two such samples of one distribution lie further apart once in a thousand (Kolmogorov & Smirnov). */
const FAR_APART = 1.95 * Math.sqrt(2 / REPLICATES);

const ROWS = 12_000;
const noise = (seed: string, of: (random: RandomStream) => number): Float64Array => {
  const random = new RandomStream([seed]);
  return Float64Array.from({ length: ROWS }, () => of(random));
};

describe('resampling in bins', () => {
  it.each<[string, () => [RowMetric, RowMetric]]>([
    [
      'AUC',
      () => {
        const { labels, candidate, champion } = simulateBinary({
          random: new RandomStream(['auc']),
          rows: ROWS,
          candidateAuc: 0.78,
          championAuc: 0.75,
        });
        return [new AucMetric(labels, candidate), new AucMetric(labels, champion)];
      },
    ],
    [
      'a mean of a heavy tail',
      () => [
        new MeanMetric(noise('a', (random) => Math.exp(1.5 * random.nextNormal()))),
        new MeanMetric(noise('b', (random) => Math.exp(1.5 * random.nextNormal()))),
      ],
    ],
    [
      'a root of a mean',
      () => [
        new RootMeanMetric(noise('c', (random) => random.nextNormal() ** 4)),
        new RootMeanMetric(noise('d', (random) => random.nextNormal() ** 4)),
      ],
    ],
    [
      'a share',
      () => [
        new MeanMetric(noise('e', (random) => (random.nextFraction() < 0.7 ? 1 : 0))),
        new MeanMetric(noise('f', (random) => (random.nextFraction() < 0.8 ? 1 : 0))),
      ],
    ],
  ])('has the distribution of resampling every row, of %s', async (_, models) => {
    const { binned, direct } = await bothWays(...models());
    expect(Math.abs(deviation(binned) / deviation(direct) - 1)).toBeLessThan(THREE_STANDARD_ERRORS);
    expect(distance(binned, direct)).toBeLessThan(FAR_APART);
  });

  it('has the standard error of DeLong on a hundred thousand rows', () => {
    const { labels, candidate, champion } = simulateBinary({
      random: new RandomStream(['large']),
      rows: 100_000,
      candidateAuc: 0.78,
      championAuc: 0.75,
    });
    const [first, second] = [new AucMetric(labels, candidate), new AucMetric(labels, champion)];
    const ofSecond = second.influence()!;
    const units = new BinnedUnits(
      {
        sums: differenceOfSums(first.sums(), second.sums()),
        influence: first.influence()!.map((value, row) => value - ofSecond[row]!),
        rows: labels.length,
      },
      new RandomStream(['units']),
    );
    const replicates = Float64Array.from({ length: 10_000 }, () => units.draw()!);
    const { standardError, difference } = compareAucByDeLong(
      { labels, first: candidate, second: champion },
      0.9,
    )!;
    // Three standard errors of the standard error of 10,000 replicates.
    expect(Math.abs(deviation(replicates) / standardError - 1)).toBeLessThan(3 * Math.sqrt(1 / 20_000));
    const mean = replicates.reduce((sum, value) => sum + value, 0) / replicates.length;
    expect(Math.abs(mean - difference) / standardError).toBeLessThan(3 * Math.sqrt(1 / 10_000));
  });

  it('gives every unit its own count where they are few, and draws the same for the same seed', () => {
    const metric = new MeanMetric(Float64Array.of(1, 2, 4, 8, 16));
    const draws = (seed: string) => {
      const statistic = { sums: metric.sums(), influence: metric.influence()!, rows: metric.rows };
      const units = new BinnedUnits(statistic, new RandomStream([seed]));
      return Array.from({ length: 50 }, () => units.draw());
    };
    expect(draws('same')).toEqual(draws('same'));
    expect(draws('other')).not.toEqual(draws('same'));
    expect(plainValue(metric)).toBe(6.2);
    for (const value of draws('same')) {
      if (value === null) continue;
      expect(value).toBeGreaterThanOrEqual(1);
      expect(value).toBeLessThanOrEqual(16);
    }
  });
});
