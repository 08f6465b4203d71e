import type { Interval } from '@perennial/contract';
import { normalCdf, normalQuantile } from './normal.ts';
import { contractForFewUnits, expandForFewUnits } from './student.ts';

/** What a bias-corrected and accelerated bound is made from. */
export interface BootstrapReplicates {
  /** The statistic of the rows as they are. */
  estimate: number;
  /** The statistic of each resample; at least one, in any order. */
  replicates: Float64Array;
  /** Influence on the statistic of each unit that was resampled, see `RowMetric.influence`; any scale. */
  influence: Float64Array;
}

/** Replicates that must lie beyond a bound for their quantile to be taken for it: of ten the count varies by a third. */
const FEWEST_BEYOND = 10;

/**
 * Bounds and p-values of a statistic from its bootstrap replicates: bias-corrected and accelerated (Efron, "Better bootstrap confidence
 * intervals", JASA 82, 1987; DiCiccio & Efron, "Bootstrap confidence intervals", Statistical Science 11, 1996). A bound is a quantile of
 * the replicates, moved by the median bias z₀ (how many replicates lie below the estimate) and by the acceleration a (how the standard
 * error changes with the value; here from the empirical influence function, Efron's equation 6.6). Each side is right to second order in
 * the number of rows, which matters for a gate that looks at one side only. Few units widen the bounds, see `expandForFewUnits`.
 *
 * Where fewer than ten replicates lie beyond a bound they do not say where it is. It is then the wider of their quantile and the normal
 * bound with the bootstrap's bias and standard error, so that errors far below one in the number of replicates can be asked for.
 *
 * A p-value is the least error whose bound excludes the value: `lowerBound(error) > value` if and only if `pAtMost(value) < error`.
 */
export class BootstrapDistribution {
  readonly estimate: number;
  readonly #below: Tail;
  readonly #above: Tail;

  constructor({ estimate, replicates, influence }: BootstrapReplicates) {
    this.estimate = estimate;
    const sorted = replicates.toSorted();
    const acceleration = accelerationOf(influence);
    this.#below = new Tail({ estimate, sorted, acceleration, units: influence.length });
    this.#above = new Tail({
      estimate: -estimate,
      sorted: sorted.map((value) => -value).reverse(),
      acceleration: -acceleration,
      units: influence.length,
    });
  }

  /** One-sided: the true value lies below it with a chance of `error`, in (0, 0.5). */
  lowerBound(error: number): number {
    return this.#below.bound(error);
  }

  /** One-sided: the true value lies above it with a chance of `error`, in (0, 0.5). */
  upperBound(error: number): number {
    // 0 − x, not −x: a difference of none is to be 0, never -0, on record.
    return 0 - this.#above.bound(error);
  }

  /** @param confidence two-sided, in (0, 1) */
  interval(confidence: number): Interval {
    const error = (1 - confidence) / 2;
    return { low: this.lowerBound(error), high: this.upperBound(error), confidence };
  }

  /** One-sided p-value of the hypothesis that the true value is at most this one: small where it is clearly more. */
  pAtMost(value: number): number {
    return this.#below.pValue(value);
  }

  /** One-sided p-value of the hypothesis that the true value is at least this one: small where it is clearly less. */
  pAtLeast(value: number): number {
    return this.#above.pValue(-value);
  }
}

/** The lower side of a bootstrap distribution; the upper one is the lower one of its mirror image. */
class Tail {
  readonly #estimate: number;
  readonly #sorted: Float64Array;
  readonly #acceleration: number;
  readonly #units: number;
  /** z₀ */
  readonly #bias: number;
  /** Centre and standard error of the normal bound. */
  readonly #centre: number;
  readonly #standardError: number;
  /** The error from which on enough replicates lie beyond the bound. */
  readonly #resolved: number;

  constructor(side: { estimate: number; sorted: Float64Array; acceleration: number; units: number }) {
    this.#estimate = side.estimate;
    this.#sorted = side.sorted;
    this.#acceleration = side.acceleration;
    this.#units = side.units;
    this.#bias = normalQuantile(shareBelow(side.sorted, side.estimate));
    const { mean, deviation } = momentsOf(side.sorted);
    this.#centre = 2 * side.estimate - mean;
    this.#standardError = deviation;
    this.#resolved = this.#errorAt(Math.min(1, FEWEST_BEYOND / (side.sorted.length + 1)));
  }

  bound(error: number): number {
    const point = expandForFewUnits(normalQuantile(error), this.#units);
    const quantile = quantileOf(this.#sorted, this.#shareAt(point));
    if (error >= this.#resolved) return quantile;
    return Math.min(quantile, this.#centre + point * this.#standardError);
  }

  /** The least error whose bound lies above the value. */
  pValue(value: number): number {
    const byReplicates = this.#errorAt(shareUpTo(this.#sorted, value));
    if (byReplicates >= this.#resolved) return byReplicates;
    return Math.min(this.#resolved, Math.max(byReplicates, this.#normalError(value)));
  }

  /** Which share of the replicates lies below the bound at a point of the normal distribution: Efron's equation 2.3 with 3.8. */
  #shareAt(point: number): number {
    const moved = this.#bias + point;
    const stretch = 1 - this.#acceleration * moved;
    // Past the pole of the correction nothing is known of the tail but that it is beyond the replicates.
    if (stretch <= 0) return moved < 0 ? 0 : 1;
    return normalCdf(this.#bias + moved / stretch);
  }

  /** The inverse: the error of the bound that has this share of the replicates below it. */
  #errorAt(share: number): number {
    if (share <= 0) return 0;
    if (share >= 1) return 1;
    const stretched = normalQuantile(share) - this.#bias;
    const stretch = 1 + this.#acceleration * stretched;
    if (stretch <= 0) return stretched < 0 ? 0 : 1;
    return normalCdf(contractForFewUnits(stretched / stretch - this.#bias, this.#units));
  }

  #normalError(value: number): number {
    const distance = value - this.#centre;
    if (this.#standardError === 0) return value < this.#estimate ? 0 : 1;
    return normalCdf(contractForFewUnits(distance / this.#standardError, this.#units));
  }
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

/** a = Σ U³ / (6 · (Σ U²)^1.5); 0 where no unit has any influence. */
function accelerationOf(influence: Float64Array): number {
  let squares = 0;
  let cubes = 0;
  for (const value of influence) {
    squares += value * value;
    cubes += value * value * value;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function momentsOf(sorted: Float64Array): { mean: number; deviation: number } {
  // Equal replicates have no spread; taken from sums, rounding would give them one.
  if (sorted[0] === sorted.at(-1)) return { mean: sorted[0]!, deviation: 0 };
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (sorted.length - 1)) };
}

/** Quantile by straight lines between the order statistics, the i-th of n standing at i / (n + 1). */
function quantileOf(sorted: Float64Array, probability: number): number {
  const position = Math.min(sorted.length, Math.max(1, probability * (sorted.length + 1))) - 1;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

/** The inverse of {@link quantileOf}: the largest probability whose quantile is at most the value; 0 below all replicates, 1 from the last on. */
function shareUpTo(sorted: Float64Array, value: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! <= value) from = middle + 1;
    else to = middle;
  }
  if (from === 0 || from === sorted.length) return from / sorted.length;
  const low = sorted[from - 1]!;
  return (from + (value - low) / (sorted[from]! - low)) / (sorted.length + 1);
}
