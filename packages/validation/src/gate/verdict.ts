import { HIGHER_IS_BETTER, type GateReport, type Metric, type Verdict } from '@perennial/contract';
import type { Estimate } from '../statistics/paired-bootstrap.ts';

export type Difference = NonNullable<GateReport['difference']>;

/** A difference of metric values turned so that more is better: of an error the sign is changed and the interval's ends swap. */
export function orient(metric: Metric, difference: Estimate): Difference {
  if (HIGHER_IS_BETTER[metric]) return difference;
  const { low, high, confidence } = difference.interval;
  // 0 − x, not −x: no difference is to be 0, never -0, on record.
  return { value: 0 - difference.value, interval: { low: 0 - high, high: 0 - low, confidence } };
}

/**
 * One-sided tests of non-inferiority at both sides of the margin (Wellek, "Testing statistical hypotheses of equivalence and
 * noninferiority", 2010): `pass` when the lower bound lies above −margin, `fail` when the upper bound lies below it, `inconclusive`
 * between. A candidate that is truly worse by the margin passes with probability 1 − confidence at most.
 */
export function verdictOf(difference: Difference, margin: number): Verdict {
  if (difference.interval.low > -margin) return 'pass';
  if (difference.interval.high < -margin) return 'fail';
  return 'inconclusive';
}

/**
 * About how many rows would take the interval off the margin, should the difference stay as it is: its reach shrinks with the root of
 * the rows. Null where the difference lies so near the margin that more than a thousand times the rows would be needed.
 */
export function rowsToSettle(difference: Difference, margin: number, rows: number): number | null {
  const distance = difference.value + margin;
  const reach =
    distance > 0 ? difference.value - difference.interval.low : difference.interval.high - difference.value;
  const factor = (reach / distance) ** 2;
  return factor <= 1_000 ? Number(Math.ceil(rows * factor).toPrecision(2)) : null;
}

/**
 * The two-sided confidence whose sides each hold at the gate's one-sided confidence: 90 % two-sided for 95 % on either side. Rounded, so
 * that 0.95 gives 0.9 and not 0.8999999999999999.
 */
export function twoSided(confidence: number): number {
  return Number((2 * confidence - 1).toFixed(12));
}
