import type { RowSample } from '../scoring/row-sample.ts';
import { takeValues } from './raw-columns.ts';

/** At most so many of a sample's rows, spread evenly over it. */
export function thinSample(sample: RowSample, most: number): RowSample {
  const size = sample.rows.length;
  if (size <= most) return sample;
  const taken = Uint32Array.from({ length: most }, (_, index) => Math.floor((index * size) / most));
  const columns = Object.entries(sample.batch.columns).map(
    ([name, column]) => [name, takeValues(column, taken)] as const,
  );
  return {
    batch: { rows: most, columns: Object.fromEntries(columns) },
    labels: takeValues(sample.labels, taken) as RowSample['labels'],
    rows: taken.map((row) => sample.rows[row]!),
  };
}
