import type { RegressionRows } from '../scoring/scored-rows.ts';
import { MeanMetric, RootMeanMetric } from './mean-metric.ts';

/** Root of the mean squared error, in the label's units. */
export function rmseMetric(rows: RegressionRows): RootMeanMetric {
  return new RootMeanMetric(squaredErrors(rows));
}

/** Mean absolute error, in the label's units. */
export function maeMetric(rows: RegressionRows): MeanMetric {
  return new MeanMetric(rows.labels.map((label, row) => Math.abs(rows.value[row]! - label)));
}

export function squaredErrors(rows: RegressionRows): Float64Array {
  return rows.labels.map((label, row) => (rows.value[row]! - label) ** 2);
}
