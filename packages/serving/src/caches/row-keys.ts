import type { InputColumn } from '@perennial/contract';
import type { ColumnBatch, RawColumn } from '@perennial/onnx';

/**
 * The whole of a row's features as a text, equal for two rows if and only if the model is given the same tensors for both: `1` and `1.0` are the same number, a timestamp's text and
 * its milliseconds the same instant, null and what it stands for the same missing value. It is no digest: who compares two keys compares the features.
 *
 * @param columns in the order of the signature
 */
export function rowKey(columns: readonly InputColumn[], batch: ColumnBatch, row: number): string {
  let key = '';
  for (const { name } of columns) key += valueKey(batch.columns[name] as RawColumn, row);
  return key;
}

/** Each value ends in a mark, and text is preceded by its length, so that no two rows read the same across the border of two columns. */
function valueKey(column: RawColumn, row: number): string {
  const value = column[row] as number | bigint | string;
  if (typeof value === 'string') return `${value.length}:${value};`;
  // The one number whose text is that of another: a model may well divide by it.
  return Object.is(value, -0) ? '-0;' : `${value};`;
}

/** Some rows of a batch, in the order given. */
export function takeRows(batch: ColumnBatch, rows: readonly number[]): ColumnBatch {
  const columns = Object.create(null) as Record<string, RawColumn>;
  for (const [name, column] of Object.entries(batch.columns)) columns[name] = takeValues(column, rows);
  return { rows: rows.length, columns };
}

function takeValues(column: RawColumn, rows: readonly number[]): RawColumn {
  if (column instanceof Float64Array) return Float64Array.from(rows, (row) => column[row] as number);
  if (column instanceof BigInt64Array) return BigInt64Array.from(rows, (row) => column[row] as bigint);
  return rows.map((row) => column[row] as string);
}
