import type { ColumnBatch, RawColumn } from '@perennial/onnx';
import type { Labels } from './score-sheet.ts';

/** Some rows of a split with their raw columns, for what asks a model again. */
export interface RowSample {
  batch: ColumnBatch;
  labels: Labels;
  /** Their numbers in the split, ascending. */
  rows: Uint32Array;
}

/** Picks rows spread evenly over a split, so that a split in order of time is not judged by its first hour. */
export class SamplePicker {
  readonly #rows: Uint32Array;
  readonly #columns = new Map<string, RawColumn[]>();
  readonly #labels: RawColumn[] = [];
  #passed = 0;
  #picked = 0;

  /** @param eligible rows to pick from, ascending */
  constructor(eligible: Uint32Array, most: number) {
    const size = Math.min(most, eligible.length);
    this.#rows = Uint32Array.from(
      { length: size },
      (_, pick) => eligible[Math.floor((pick * eligible.length) / size)]!,
    );
  }

  /** Takes the next rows of the split. */
  add(batch: ColumnBatch, labels: Labels): void {
    const start = this.#picked;
    const end = this.#passed + batch.rows;
    while (this.#picked < this.#rows.length && this.#rows[this.#picked]! < end) this.#picked++;
    const rows = this.#rows.slice(start, this.#picked).map((row) => row - this.#passed);
    this.#labels.push(pick(labels, rows));
    for (const [name, column] of Object.entries(batch.columns)) {
      const parts = this.#columns.get(name) ?? [];
      parts.push(pick(column, rows));
      this.#columns.set(name, parts);
    }
    this.#passed = end;
  }

  finish(): RowSample {
    const columns = [...this.#columns].map(([name, parts]): [string, RawColumn] => [name, joined(parts)]);
    return {
      batch: { rows: this.#rows.length, columns: Object.fromEntries(columns) },
      labels: joined(this.#labels) as Labels,
      rows: this.#rows,
    };
  }
}

function pick(column: RawColumn, rows: Uint32Array): RawColumn {
  if (Array.isArray(column)) return Array.from(rows, (row) => column[row]!);
  if (column instanceof BigInt64Array) return BigInt64Array.from(rows, (row) => column[row]!);
  return Float64Array.from(rows, (row) => column[row]!);
}

/** Parts of one column behind each other; no parts are an empty column of numbers. */
function joined(parts: RawColumn[]): RawColumn {
  const [first] = parts;
  if (Array.isArray(first)) return (parts as string[][]).flat();
  if (first instanceof BigInt64Array)
    return BigInt64Array.from((parts as BigInt64Array[]).flatMap((part) => [...part]));
  return Float64Array.from((parts as Float64Array[]).flatMap((part) => [...part]));
}
