import type { ColumnBatch, OutputBatch, RawColumn } from '@perennial/onnx';
import type { InstanceFiller, RowColumns } from '../instances/instance-filler.ts';

/** The answer to a request: its rows in an output begin at `offset`. */
export interface BatchAnswer {
  output: OutputBatch;
  offset: number;
  /** The batch that it was computed in: when, as `performance.now()` tells it, and of how many rows. */
  computed: { startedAt: number; endedAt: number; rows: number };
}

/** One request among those that are computed together. */
export interface Waiter {
  start: number;
  end: number;
  resolve: (answer: BatchAnswer) => void;
  reject: (error: unknown) => void;
}

/** Rows for which the first columns have room. Models by the thousand are loaded in one process: what each keeps must be small. */
const FIRST_ROOM = 16;

/** Rows of several requests, laid out one after another in the same columns as they come, so that nothing is copied when they are computed. */
export class GatheredRows {
  readonly waiters: Waiter[] = [];
  rows = 0;
  bytes = 0;
  readonly #filler: InstanceFiller;
  #columns: RowColumns;
  #room: number;

  /** @param room - columns of an earlier one, to be filled again, and how many rows they hold */
  constructor(filler: InstanceFiller, room: { columns: RowColumns; rows: number } | null) {
    this.#filler = filler;
    this.#room = room?.rows ?? 0;
    this.#columns = room?.columns ?? [];
  }

  /** Takes the rows of a request. Throws, and takes none, where they do not fit the signature. @throws InvalidInstanceError */
  addInstances(instances: readonly unknown[]): { start: number; end: number } {
    const start = this.rows;
    const end = start + instances.length;
    this.#reserve(end);
    this.#filler.fill(this.#columns, start, { all: instances });
    this.rows = end;
    this.bytes += this.#filler.bytesOf(this.#columns, { start, end });
    return { start, end };
  }

  /** Takes rows that were laid out elsewhere; columns in the signature's order. */
  addColumns(given: RowColumns, rows: number): { start: number; end: number } {
    const start = this.rows;
    const end = start + rows;
    this.#reserve(end);
    this.#columns.forEach((column, i) => copyColumn(given[i] as RawColumn, column, start));
    this.rows = end;
    this.bytes += this.#filler.bytesOf(this.#columns, { start, end });
    return { start, end };
  }

  /** All rows, or those of one request. */
  batch({ start, end } = { start: 0, end: this.rows }): ColumnBatch {
    return this.#filler.batchOf(this.#columns, { start, end });
  }

  /** The columns, for a later one, once nobody reads these any more. */
  get room(): { columns: RowColumns; rows: number } {
    return { columns: this.#columns, rows: this.#room };
  }

  #reserve(rows: number): void {
    if (rows <= this.#room) return;
    this.#room = Math.max(rows, this.#room * 2, FIRST_ROOM);
    const larger = this.#filler.allocate(this.#room);
    this.#columns.forEach((column, i) => copyColumn(column, larger[i] as RawColumn, 0));
    this.#columns = larger;
  }
}

/** Both are of one type, since both are laid out for one signature. */
function copyColumn(from: RawColumn, to: RawColumn, at: number): void {
  if (to instanceof Float64Array) to.set(from as Float64Array, at);
  else if (to instanceof BigInt64Array) to.set(from as BigInt64Array, at);
  else for (let row = 0; row < from.length; row++) to[at + row] = from[row] as string;
}
