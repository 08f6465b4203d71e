import type { Interval } from '@perennial/contract';
import { normalQuantile } from './normal.ts';

/**
 * Interval of the difference of two proportions on the same rows (Agresti & Min, "Simple improved confidence intervals for comparing
 * matched proportions", Statistics in Medicine 24, 2005): Wald's, with half a row added to each of the four cells. Where the two differ
 * on no row or on one, a bootstrap has next to nothing to resample and claims certainty; this does not.
 *
 * @param pairs rows where only the first is right, where only the second is, and all rows
 * @param confidence two-sided, in (0, 1)
 */
export function pairedProportionInterval(
  pairs: { onlyFirst: number; onlySecond: number; rows: number },
  confidence: number,
): Interval {
  const rows = pairs.rows + 2;
  const difference = pairs.onlyFirst - pairs.onlySecond;
  const discordant = pairs.onlyFirst + pairs.onlySecond + 1;
  const reach =
    (normalQuantile((1 + confidence) / 2) * Math.sqrt(discordant - difference ** 2 / rows)) / rows;
  return { low: difference / rows - reach, high: difference / rows + reach, confidence };
}
