import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { OverloadedError } from '../errors.ts';
import { joinBatches } from './join-batches.ts';

export interface MicroBatcherOptions {
  /** Whose requests they are; named when there are too many. */
  model: string;
  /** Computes a batch. Called for one batch at a time. */
  run: (batch: ColumnBatch) => Promise<OutputBatch>;
  /** Most rows that are computed at once, unless one request alone has more. @default 8192 */
  batchRows?: number;
  /** Most rows that wait before requests are refused as overload. @default 100000 */
  queueRows?: number;
}

/** The answer to a request: its rows in an output begin at `offset`. */
export interface BatchAnswer {
  output: OutputBatch;
  offset: number;
  /** The batch that it was computed in: when, as `performance.now()` tells it, and of how many rows. */
  computed: { startedAt: number; endedAt: number; rows: number };
}

interface Waiter {
  batch: ColumnBatch;
  resolve: (answer: BatchAnswer) => void;
  reject: (error: unknown) => void;
}

/**
 * Computes the rows of many requests together, and never waits for company: idle, it runs at the end of the turn of the event loop; busy, it
 * gathers; finished, it takes all that has gathered, up to a limit, first in, first out.
 *
 * Requests are validated before they join. Should a batch fail all the same, its requests are run one by one, so that one of them cannot
 * spoil the others.
 */
export class MicroBatcher {
  readonly #options: Required<MicroBatcherOptions>;
  #waiting: Waiter[] = [];
  #waitingRows = 0;
  #busy = false;

  constructor(options: MicroBatcherOptions) {
    this.#options = { batchRows: 8_192, queueRows: 100_000, ...options };
  }

  /** Rows that wait to be computed. */
  get queuedRows(): number {
    return this.#waitingRows;
  }

  /** @throws OverloadedError when too many rows wait */
  submit(batch: ColumnBatch): Promise<BatchAnswer> {
    const { queueRows, model } = this.#options;
    if (this.#waitingRows >= queueRows)
      return Promise.reject(new OverloadedError(`the model '${model}'`, queueRows, 'rows'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#waitingRows += batch.rows;
      if (this.#busy) return;
      this.#busy = true;
      // The requests that this turn of the event loop has read are computed together, instead of the first alone and the rest after it.
      setImmediate(() => void this.#work());
    });
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) await this.#compute(this.#take());
    this.#busy = false;
  }

  #take(): Waiter[] {
    let rows = 0;
    let count = 0;
    for (const { batch } of this.#waiting) {
      if (count > 0 && rows + batch.rows > this.#options.batchRows) break;
      rows += batch.rows;
      count++;
    }
    const taken = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#waitingRows -= rows;
    return taken;
  }

  async #compute(waiters: readonly Waiter[]): Promise<void> {
    let output: OutputBatch;
    const startedAt = performance.now();
    const joined = joinBatches(waiters.map((waiter) => waiter.batch));
    try {
      output = await this.#options.run(joined);
    } catch (error) {
      if (waiters.length === 1) waiters[0]?.reject(error);
      else for (const waiter of waiters) await this.#compute([waiter]);
      return;
    }
    const computed = { startedAt, endedAt: performance.now(), rows: joined.rows };
    let offset = 0;
    for (const { batch, resolve } of waiters) {
      resolve({ output, offset, computed });
      offset += batch.rows;
    }
  }
}
