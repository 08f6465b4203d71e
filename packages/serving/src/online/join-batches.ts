import type { ColumnBatch, RawColumn } from '@perennial/onnx';

/** The rows of several batches of the same columns, one after another. A single batch is answered as it is. */
export function joinBatches(batches: readonly ColumnBatch[]): ColumnBatch {
  const [first] = batches;
  if (first === undefined) return { rows: 0, columns: {} };
  if (batches.length === 1) return first;
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  const columns = Object.create(null) as Record<string, RawColumn>;
  for (const name of Object.keys(first.columns)) {
    columns[name] = joinColumns(
      batches.map((batch) => batch.columns[name] as RawColumn),
      rows,
    );
  }
  return { rows, columns };
}

/** The parts are of one type, since they come from one reader. */
function joinColumns(parts: readonly RawColumn[], rows: number): RawColumn {
  const [first] = parts;
  if (first instanceof Float64Array) return fill(new Float64Array(rows), parts as readonly Float64Array[]);
  if (first instanceof BigInt64Array) return fill(new BigInt64Array(rows), parts as readonly BigInt64Array[]);
  return (parts as readonly string[][]).flat();
}

function fill<Column extends { set(part: Column, at: number): void; length: number }>(
  column: Column,
  parts: readonly Column[],
): Column {
  let at = 0;
  for (const part of parts) {
    column.set(part, at);
    at += part.length;
  }
  return column;
}
