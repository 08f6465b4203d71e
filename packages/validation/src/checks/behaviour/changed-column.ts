import { MISSING_TIMESTAMP, type BehaviourSpec, type ColumnType } from '@perennial/contract';
import type { RawColumn } from '@perennial/onnx';
import { takeValues } from '../../probing/raw-columns.ts';

/** Other values that each row is asked with where an answer is to stay: those of rows so many shares of the sample away. */
const OTHER_ROWS = [1 / 4, 1 / 2, 3 / 4];
/** A column is raised by this many of its standard deviations where the author says nothing. */
const RAISED_DEVIATIONS = 0.5;

/** A column with other values, and the rows in which they do differ. */
export interface ChangedColumn {
  values: RawColumn;
  rows: number[];
}

/** The ways to change a column that show whether an expectation holds; or as a sentence why there is none. */
export function changedColumns(
  spec: BehaviourSpec,
  { column, type }: { column: RawColumn; type: ColumnType },
): ChangedColumn[] | { skipped: string } {
  const changed = spec.kind === 'invariant' ? otherValues(column) : raised(spec, column, type);
  if ('skipped' in changed) return changed;
  const different = changed
    .map((values) => ({ values, rows: differingRows(column, values) }))
    .filter(({ rows }) => rows.length > 0);
  return different.length > 0
    ? different
    : { skipped: `No test row has a value of '${spec.column}' that could be changed.` };
}

/** Values that do occur in the column, so that the model is asked about nothing that cannot be. */
function otherValues(column: RawColumn): RawColumn[] {
  return OTHER_ROWS.map((share) => {
    const away = Math.floor(share * column.length);
    return takeValues(
      column,
      Uint32Array.from({ length: column.length }, (_, row) => (row + away) % column.length),
    );
  });
}

type Direction = Exclude<BehaviourSpec, { kind: 'invariant' }>;

function raised(spec: Direction, column: RawColumn, type: ColumnType): RawColumn[] | { skipped: string } {
  if (column instanceof BigInt64Array) {
    const present = Float64Array.from(
      column.filter((value) => value !== MISSING_TIMESTAMP),
      Number,
    );
    const by = BigInt(Math.round(raiseOf(spec, present)));
    return [column.map((value) => (value === MISSING_TIMESTAMP ? value : value + by))];
  }
  if (!(column instanceof Float64Array)) {
    return { skipped: `'${spec.column}' is text, of which there is no more and no less.` };
  }
  if (type === 'boolean') return [column.map((value) => (Number.isNaN(value) ? value : 1))];
  const by = raiseOf(
    spec,
    column.filter((value) => !Number.isNaN(value)),
  );
  return [column.map((value) => value + by)];
}

function raiseOf(spec: Direction, present: Float64Array): number {
  return spec.by ?? RAISED_DEVIATIONS * standardDeviation(present);
}

function standardDeviation(values: Float64Array): number {
  if (values.length === 0) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / values.length);
}

function differingRows(before: RawColumn, after: RawColumn): number[] {
  const rows: number[] = [];
  for (let row = 0; row < before.length; row++) if (!Object.is(before[row], after[row])) rows.push(row);
  return rows;
}
