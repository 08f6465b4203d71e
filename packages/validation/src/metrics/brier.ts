import type { BinaryRows } from '../scoring/scored-rows.ts';
import { MeanMetric } from './mean-metric.ts';

/** Mean squared distance of the probability from what happened, 0 to 1 (Brier, "Verification of forecasts …", 1950). */
export function brierMetric(rows: BinaryRows): MeanMetric {
  return new MeanMetric(
    Float64Array.from(rows.probability, (probability, row) => (probability - rows.labels[row]!) ** 2),
  );
}
