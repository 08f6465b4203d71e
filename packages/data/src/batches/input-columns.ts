import duckdb from '@duckdb/node-bindings';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { ColumnBatch, RawColumn } from '@perennial/onnx';
import type { InputItem } from './batch-columns.ts';
import { TextPool } from './text-pool.ts';

const TEXT_BYTES = 16;

/** Gathers the columns of DuckDB's chunks, of at most 2,048 rows each, into batches. The memory of a batch is used again for the next. */
export class InputColumns {
  readonly #items: readonly InputItem[];
  readonly #capacity: number;
  readonly #columns: RawColumn[];
  readonly #pools: TextPool[];
  #rows = 0;

  constructor(items: readonly InputItem[], capacity: number) {
    this.#items = items;
    this.#capacity = capacity;
    this.#columns = items.map(({ form }) => emptyColumn(form, capacity));
    this.#pools = items.map(() => new TextPool());
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
    for (let index = 0; index < this.#items.length; index += 1) this.#copy(chunk, index, { start, count });
    this.#rows += count;
    return count;
  }

  /** The gathered rows, which are good until the next are appended. */
  take(): ColumnBatch {
    const rows = this.#rows;
    this.#rows = 0;
    const full = rows === this.#capacity;
    const columns = this.#items.map(({ name }, index) => {
      const column = this.#columns[index]!;
      if (full) return [name, column] as const;
      return [name, Array.isArray(column) ? column.slice(0, rows) : column.subarray(0, rows)] as const;
    });
    return { rows, columns: Object.fromEntries(columns) };
  }

  #copy(chunk: DuckDBDataChunk, index: number, { start, count }: { start: number; count: number }): void {
    const column = this.#columns[index]!;
    const at = this.#rows;
    const vector = duckdb.data_chunk_get_vector(chunk.chunk, index);
    if (Array.isArray(column)) {
      const data = duckdb.vector_get_data(vector, chunk.rowCount * TEXT_BYTES);
      const words = new Uint32Array(
        data.buffer,
        data.byteOffset + start * TEXT_BYTES,
        count * (TEXT_BYTES / 4),
      );
      this.#pools[index]!.read(words, { column, at, count }, (row) => textAt(chunk, index, start + row));
    } else {
      const data = duckdb.vector_get_data(vector, chunk.rowCount * 8);
      const offset = data.byteOffset + start * 8;
      if (column instanceof BigInt64Array) column.set(new BigInt64Array(data.buffer, offset, count), at);
      else column.set(new Float64Array(data.buffer, offset, count), at);
    }
  }
}

function textAt(chunk: DuckDBDataChunk, index: number, row: number): string {
  return chunk.getColumnVector(index).getItem(row) as string;
}

function emptyColumn(form: InputItem['form'], capacity: number): RawColumn {
  switch (form) {
    case 'float64':
      return new Float64Array(capacity);
    case 'int64':
      return new BigInt64Array(capacity);
    case 'text':
      return new Array<string>(capacity).fill('');
  }
}
