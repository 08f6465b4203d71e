import type { Interval } from '@perennial/contract';
import { normalCdf, normalQuantile } from './normal.ts';

/** What a bias-corrected and accelerated interval is made from. */
export interface BootstrapDistribution {
  /** The statistic of the rows as they are. */
  estimate: number;
  /** The statistic of each resample; at least one, in any order. */
  replicates: Float64Array;
  /** Influence of each row on the statistic, see `RowMetric.influence`; any scale. */
  influence: Float64Array;
}

/**
 * Bias-corrected and accelerated bootstrap interval (Efron, "Better bootstrap confidence intervals", JASA 82, 1987): the replicates'
 * quantiles, moved by the median bias z₀ (how many replicates lie below the estimate) and by the acceleration a (how the standard error
 * changes with the value; here from the empirical influence function, Efron's equation 6.6). Each side is right to second order in
 * the number of rows, which matters for a gate that looks at one side only.
 *
 * @param confidence two-sided, in (0, 1)
 */
export function bcaInterval(distribution: BootstrapDistribution, confidence: number): Interval {
  const sorted = distribution.replicates.toSorted();
  const bias = normalQuantile(shareBelow(sorted, distribution.estimate));
  const acceleration = accelerationOf(distribution.influence);
  const quantile = (probability: number): number => {
    const moved = bias + normalQuantile(probability);
    return quantileOf(sorted, normalCdf(bias + moved / (1 - acceleration * moved)));
  };
  return { low: quantile((1 - confidence) / 2), high: quantile((1 + confidence) / 2), confidence };
}

/**
 * Share of replicates below the estimate, equal ones counting half, so that a statistic of few values (accuracy) is not pushed aside.
 * Kept off 0 and 1, whose normal quantiles are infinite, by half a replicate.
 */
function shareBelow(sorted: Float64Array, estimate: number): number {
  let halves = 0;
  for (const replicate of sorted) halves += replicate < estimate ? 2 : replicate === estimate ? 1 : 0;
  const share = halves / 2 / sorted.length;
  const edge = 1 / (2 * sorted.length);
  return Math.min(1 - edge, Math.max(edge, share));
}

/** a = Σ U³ / (6 · (Σ U²)^1.5); 0 where no row has any influence. */
function accelerationOf(influence: Float64Array): number {
  let squares = 0;
  let cubes = 0;
  for (const value of influence) {
    squares += value * value;
    cubes += value * value * value;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/** Quantile by straight lines between the order statistics, the i-th of n standing at i / (n + 1). */
function quantileOf(sorted: Float64Array, probability: number): number {
  const position = Math.min(sorted.length, Math.max(1, probability * (sorted.length + 1))) - 1;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}
