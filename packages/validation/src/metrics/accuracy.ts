import type { BinaryRows, MulticlassRows } from '../scoring/scored-rows.ts';
import { MeanMetric } from './mean-metric.ts';

/** Share of rows whose decision is the label. */
export function accuracyMetric(rows: BinaryRows | MulticlassRows): MeanMetric {
  return new MeanMetric(
    Float64Array.from(rows.labels, (label: number, row: number) => (rows.decision[row] === label ? 1 : 0)),
  );
}
