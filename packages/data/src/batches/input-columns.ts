import duckdb from '@duckdb/node-bindings';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { MISSING_TIMESTAMP } from '@perennial/contract';
import type { CodedBatch } from '@perennial/onnx';
import type { InputItem } from './batch-columns.ts';
import { TextCodes } from './text-codes.ts';

const TEXT_BYTES = 16;
const NUMBER_BYTES = 8;

type Gathered = Float64Array | BigInt64Array | TextCodes;

/** Gathers the columns of DuckDB's chunks, of at most 2,048 rows each, into batches. The memory of a batch is used again for the next. */
export class InputColumns {
  readonly #items: readonly InputItem[];
  readonly #capacity: number;
  readonly #columns: readonly Gathered[];
  #rows = 0;

  constructor(items: readonly InputItem[], capacity: number) {
    this.#items = items;
    this.#capacity = capacity;
    // Numbers lie column after column, as an artifact for batches takes them.
    const numbers = items.filter(({ form }) => form === 'float64').length;
    const memory = new Float64Array(numbers * capacity);
    let next = 0;
    const number = () => memory.subarray(next * capacity, ++next * capacity);
    this.#columns = items.map(({ form }) => (form === 'float64' ? number() : emptyColumn(form, capacity)));
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
  take(): CodedBatch {
    const rows = this.#rows;
    this.#rows = 0;
    const columns = this.#items.map(({ name }, index) => {
      const column = this.#columns[index]!;
      return [name, column instanceof TextCodes ? column.take(rows) : column.subarray(0, rows)] as const;
    });
    return { rows, columns: Object.fromEntries(columns) };
  }

  #copy(chunk: DuckDBDataChunk, index: number, { start, count }: { start: number; count: number }): void {
    const column = this.#columns[index]!;
    const at = this.#rows;
    const vector = duckdb.data_chunk_get_vector(chunk.chunk, index);
    if (column instanceof TextCodes) {
      const { buffer, byteOffset } = duckdb.vector_get_data(vector, chunk.rowCount * TEXT_BYTES);
      const words = new Uint32Array(buffer, byteOffset + start * TEXT_BYTES, count * (TEXT_BYTES / 4));
      const valid = validityOf(vector, chunk.rowCount);
      const textOf = (row: number) => textAt(chunk, index, start + row);
      if (valid === null) return column.read(words, { at, count }, textOf);
      const isThere = (row: number) => isValid(valid, start + row);
      column.read(words, { at, count, isThere }, textOf);
    } else {
      const { buffer, byteOffset } = duckdb.vector_get_data(vector, chunk.rowCount * NUMBER_BYTES);
      const offset = byteOffset + start * NUMBER_BYTES;
      if (column instanceof BigInt64Array) column.set(new BigInt64Array(buffer, offset, count), at);
      else copyFinite(new Float64Array(buffer, offset, count), column, at);
      const valid = validityOf(vector, chunk.rowCount);
      if (valid === null) return;
      const missing = column instanceof BigInt64Array ? MISSING_TIMESTAMP : NaN;
      for (let row = 0; row < count; row += 1) if (!isValid(valid, start + row)) column[at + row] = missing;
    }
  }
}

/** Infinities are missing, as they are in a dataset. */
function copyFinite(values: Float64Array, column: Float64Array, at: number): void {
  column.set(values, at);
  // Most columns have none, and finding that out takes a tenth of looking at each value by itself.
  if (areFinite(values)) return;
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row]!;
    if (value - value !== 0) column[at + row] = NaN;
  }
}

/** Four sums, so that none waits for another: a value times zero is zero, or NaN where it is not finite. */
function areFinite(values: Float64Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const { length } = values;
  for (let row = 0; row + 3 < length; row += 4) {
    a += values[row]! * 0;
    b += values[row + 1]! * 0;
    c += values[row + 2]! * 0;
    d += values[row + 3]! * 0;
  }
  for (let row = length & ~3; row < length; row += 1) a += values[row]! * 0;
  return a + b + (c + d) === 0;
}

/** A bit for each row, set where it has a value; null where all have. */
function validityOf(
  vector: Parameters<typeof duckdb.vector_get_validity>[0],
  rows: number,
): Uint8Array | null {
  // The vector has none where all rows have a value.
  return duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8);
}

function isValid(valid: Uint8Array, row: number): boolean {
  return (valid[row >> 3]! & (1 << (row & 7))) !== 0;
}

function textAt(chunk: DuckDBDataChunk, index: number, row: number): string {
  return chunk.getColumnVector(index).getItem(row) as string;
}

function emptyColumn(form: Exclude<InputItem['form'], 'float64'>, capacity: number): Gathered {
  switch (form) {
    case 'int64':
      return new BigInt64Array(capacity);
    case 'text':
      return new TextCodes(capacity);
  }
}
