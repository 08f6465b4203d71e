import { AucMetric } from '../metrics/auc.ts';
import type { Interval } from '@perennial/contract';
import { normalQuantile } from './normal.ts';

/** Two AUCs on the same rows, what lies between them, and how sure that is. */
export interface DeLongComparison {
  first: number;
  second: number;
  /** First minus second. */
  difference: number;
  standardError: number;
  interval: Interval;
}

/**
 * The difference of two correlated AUCs with its normal interval (DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988) by ranks, in
 * O(rows · log rows) (Sun & Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing Letters 21, 2014). It knows only
 * AUC and assumes a normal difference; the gate uses the bootstrap for every metric, and this stands beside it as an independent check.
 *
 * @param scored labels (1 or 0), and the two models' scores of the same rows
 * @param confidence of the two-sided interval, in (0, 1)
 * @returns null when fewer than two rows of either kind leave the variance undefined
 */
export function compareAucByDeLong(
  scored: { labels: Uint8Array; first: Float32Array; second: Float32Array },
  confidence: number,
): DeLongComparison | null {
  const { placements: first, positives } = new AucMetric(scored.labels, scored.first).placements();
  const { placements: second } = new AucMetric(scored.labels, scored.second).placements();
  const negatives = scored.labels.length - positives;
  if (positives < 2 || negatives < 2) return null;
  const difference = first.map((placement, row) => placement - second[row]!);
  // var(A − B) = var A + var B − 2 cov(A, B), taken at once as the variance of the components' differences.
  const variance =
    varianceOf(difference, scored.labels, 1) / positives +
    varianceOf(difference, scored.labels, 0) / negatives;
  const standardError = Math.sqrt(variance);
  const estimate = meanOf(difference, scored.labels, 1);
  const reach = normalQuantile((1 + confidence) / 2) * standardError;
  return {
    first: meanOf(first, scored.labels, 1),
    second: meanOf(second, scored.labels, 1),
    difference: estimate,
    standardError,
    interval: { low: estimate - reach, high: estimate + reach, confidence },
  };
}

function meanOf(values: Float64Array, labels: Uint8Array, kind: 0 | 1): number {
  let sum = 0;
  let rows = 0;
  for (let row = 0; row < values.length; row++) {
    if (labels[row] !== kind) continue;
    sum += values[row]!;
    rows++;
  }
  return sum / rows;
}

/** Sample variance (rows − 1) over the rows of one kind. */
function varianceOf(values: Float64Array, labels: Uint8Array, kind: 0 | 1): number {
  const mean = meanOf(values, labels, kind);
  let squares = 0;
  let rows = 0;
  for (let row = 0; row < values.length; row++) {
    if (labels[row] !== kind) continue;
    squares += (values[row]! - mean) ** 2;
    rows++;
  }
  return squares / (rows - 1);
}
