import type { RawColumn } from '@perennial/onnx';

/** The values of a column at the given rows; a row may come more than once. */
export function takeValues(column: RawColumn, rows: Uint32Array): RawColumn {
  if (column instanceof Float64Array) return Float64Array.from(rows, (row) => column[row]!);
  if (!(column instanceof BigInt64Array)) return Array.from(rows, (row) => column[row]!);
  const taken = new BigInt64Array(rows.length);
  rows.forEach((row, index) => (taken[index] = column[row]!));
  return taken;
}

/** Columns of one type, at least one, end to end. */
export function joinColumns(columns: readonly RawColumn[]): RawColumn {
  const [first] = columns;
  if (first instanceof Float64Array) return joinInto(columns as Float64Array[], Float64Array);
  if (first instanceof BigInt64Array) return joinInto(columns as BigInt64Array[], BigInt64Array);
  return (columns as string[][]).flat();
}

function joinInto<Column extends Float64Array | BigInt64Array>(
  columns: readonly Column[],
  type: new (size: number) => Column,
): Column {
  const joined = new type(columns.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const column of columns) {
    // The two kinds of array set only their own, which the compiler cannot tell of a union.
    (joined as Float64Array).set(column as Float64Array, filled);
    filled += column.length;
  }
  return joined;
}
