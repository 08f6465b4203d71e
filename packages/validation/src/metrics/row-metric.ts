import type { RowSums } from './row-sums.ts';

/**
 * A metric of one model on fixed rows, prepared once so that it can be computed again under many weights of the rows: a weight is how
 * often a row stands in a resample. All weights one give the metric itself.
 */
export interface RowMetric {
  readonly rows: number;
  /** The metric under whole-number weights, one per row; null where they leave it undefined (AUC of one class, no rows at all). */
  value(weights: Uint8Array): number | null;
  /**
   * The empirical influence of each row: `rows · ∂value/∂weight` at weights one. Its mean is 0, and √Σ influence² / rows estimates
   * the metric's standard error (Efron, "The jackknife, the bootstrap and other resampling plans", 1982, chapter 6). Null where the
   * metric is undefined.
   */
  influence(): Float64Array | null;
  /** The metric as a function of sums over rows; absent where it is none of few sums. Asked for only where the metric is defined. */
  sums?(): RowSums;
}

/** The metric of the rows as they are. */
export function plainValue(metric: RowMetric): number | null {
  return metric.value(new Uint8Array(metric.rows).fill(1));
}
