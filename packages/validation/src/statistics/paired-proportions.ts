import { normalCdf, normalQuantile } from './normal.ts';

/**
 * The difference of two proportions on the same rows (Agresti & Min, "Simple improved confidence intervals for comparing matched
 * proportions", Statistics in Medicine 24, 2005): Wald's, with half a row added to each of the four cells. Where the two differ on no row
 * or on one, a bootstrap has next to nothing to resample and claims certainty; this does not.
 */
export class PairedProportions {
  readonly #difference: number;
  readonly #standardError: number;

  /** @param pairs rows where only the first is right, where only the second is, and all rows */
  constructor(pairs: { onlyFirst: number; onlySecond: number; rows: number }) {
    const rows = pairs.rows + 2;
    const difference = pairs.onlyFirst - pairs.onlySecond;
    const discordant = pairs.onlyFirst + pairs.onlySecond + 1;
    this.#difference = difference / rows;
    this.#standardError = Math.sqrt(discordant - difference ** 2 / rows) / rows;
  }

  /** One-sided: the true difference lies below it with a chance of `error`. */
  lowerBound(error: number): number {
    return this.#difference + normalQuantile(error) * this.#standardError;
  }

  /** One-sided: the true difference lies above it with a chance of `error`. */
  upperBound(error: number): number {
    return this.#difference - normalQuantile(error) * this.#standardError;
  }

  /** One-sided p-value of the hypothesis that the true difference is at most this one. */
  pAtMost(value: number): number {
    return normalCdf((value - this.#difference) / this.#standardError);
  }

  /** One-sided p-value of the hypothesis that the true difference is at least this one. */
  pAtLeast(value: number): number {
    return normalCdf((this.#difference - value) / this.#standardError);
  }
}
