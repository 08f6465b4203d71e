import type { DuckDBDataChunk } from '@duckdb/node-api';
import { MISSING_TIMESTAMP } from '@perennial/contract';
import type { RawColumn } from '@perennial/onnx';
import { duckdb } from './duckdb.ts';

/** How a column of an answer is kept in a batch; its SQL must give DOUBLE, BIGINT or VARCHAR, and no NULL. */
export type BufferForm = 'float64' | 'int64' | 'text';

/** Gathers the columns of DuckDB's chunks, of at most 2,048 rows each, into batches of any size. */
export class BatchBuffer {
  readonly #forms: readonly BufferForm[];
  readonly #capacity: number;
  #columns: RawColumn[];
  #rows = 0;

  constructor(forms: readonly BufferForm[], capacity: number) {
    this.#forms = forms;
    this.#capacity = capacity;
    this.#columns = this.#empty();
  }

  get rows(): number {
    return this.#rows;
  }

  get isFull(): boolean {
    return this.#rows === this.#capacity;
  }

  /** Takes rows of a chunk from `start` on, as many as there is room for; tells how many. */
  append(chunk: DuckDBDataChunk, start: number): number {
    const count = Math.min(chunk.rowCount - start, this.#capacity - this.#rows);
    this.#columns.forEach((column, index) =>
      copyColumn(column, chunk, { index, start, count, to: this.#rows }),
    );
    this.#rows += count;
    return count;
  }

  /** Hands the gathered columns over and begins anew. */
  take(): RawColumn[] {
    const taken = this.#columns.map((column) => column.slice(0, this.#rows));
    const columns = this.isFull ? this.#columns : taken;
    this.#columns = this.#empty();
    this.#rows = 0;
    return columns;
  }

  #empty(): RawColumn[] {
    return this.#forms.map((form) => {
      switch (form) {
        case 'float64':
          return new Float64Array(this.#capacity);
        case 'int64':
          return new BigInt64Array(this.#capacity);
        case 'text':
          return new Array<string>(this.#capacity);
      }
    });
  }
}

interface CopyRange {
  index: number;
  start: number;
  count: number;
  to: number;
}

function copyColumn(column: RawColumn, chunk: DuckDBDataChunk, { index, start, count, to }: CopyRange): void {
  const vector = chunk.getColumnVector(index);
  if (column instanceof Float64Array && vector instanceof duckdb.DuckDBDoubleVector) {
    for (let row = 0; row < count; row += 1) column[to + row] = vector.getItem(start + row) ?? NaN;
  } else if (column instanceof BigInt64Array && vector instanceof duckdb.DuckDBBigIntVector) {
    for (let row = 0; row < count; row += 1)
      column[to + row] = vector.getItem(start + row) ?? MISSING_TIMESTAMP;
  } else if (Array.isArray(column) && vector instanceof duckdb.DuckDBVarCharVector) {
    for (let row = 0; row < count; row += 1) column[to + row] = vector.getItem(start + row) ?? '';
  } else {
    throw new TypeError(`column ${index} is a ${vector.type.toString()} and does not fit its buffer`);
  }
}
