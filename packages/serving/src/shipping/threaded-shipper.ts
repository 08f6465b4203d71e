import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { DatabaseAddress } from '@perennial/storage';
import { ShippingError, ShippingThreadError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { comparePositions, type Position } from '../journal/position.ts';
import { Backoff, systemDelay, type Delay } from '../waiting/delay.ts';
import { WakeSignal } from '../waiting/wake-signal.ts';
import { Backlog } from './backlog.ts';
import { JournalEnd } from './journal-end.ts';
import type { FromShippingThread, ThreadSetup, ToShippingThread } from './messages.ts';
import { errorFromPlain } from './plain-error.ts';
import { zeroShipperCounters, type ShipperCounters, type ShippingPace } from './shipper.ts';

export interface ThreadedShipperOptions {
  journal: Journal;
  /** The database; the thread has connections of its own. */
  database: DatabaseAddress;
  pace?: ShippingPace;
  /** Called with every failure to ship, for the log. It is tried again without being asked. */
  onProblem?: (error: unknown) => void;
  /** Waits before a thread that has ended is replaced. @default the machine's timer */
  delay?: Delay;
  /** @default startShippingThread */
  startThread?: (setup: ThreadSetup) => Worker;
}

/** What waits to be shipped. */
export interface ShippingBacklog {
  /** Of those appended since the journal was opened: what an earlier process left is not counted. */
  records: number;
  /** Of the journal, what an earlier process left included. */
  bytes: number;
  /** Seconds since the oldest was appended, or since the start where an earlier process left it; 0 when none waits. */
  oldestSeconds: number;
}

/** The program of the thread: as it is built, since a thread runs what is built. */
const PROGRAM = new URL('../../dist/shipping/thread-main.js', import.meta.url);

/**
 * Most memory of the thread's objects, in MiB: a batch is at most 8 MiB of the journal and one frame of up to 32 more, and its texts and lines several times that. Usually it
 * holds a tenth.
 */
const MOST_MEBIBYTES = 1_024;

/** Starts a thread that ships. It has the environment of the process, which says how the driver is to speak to a database (`PGSSLMODE`, `PGPASSWORD`). */
export function startShippingThread(
  setup: ThreadSetup,
  resourceLimits: ResourceLimits = { maxOldGenerationSizeMb: MOST_MEBIBYTES },
): Worker {
  return new Worker(PROGRAM, { workerData: setup, execArgv: [], resourceLimits });
}

interface Flush {
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * A `Shipper` on a thread of its own, since requests are answered on this one: reading the journal, making rows of it and speaking to the database are a tenth of what a prediction
 * costs, and the thousands of texts of a batch make every collection of garbage slower. The thread reads the journal's files; where they end, it sees in memory that both share. A thread that
 * ends by itself is replaced, and begins where the last one is known to have come to.
 */
export class ThreadedShipper {
  readonly counters: ShipperCounters = zeroShipperCounters();
  readonly #options: Required<ThreadedShipperOptions>;
  readonly #end = new JournalEnd();
  readonly #backlog = new Backlog(() => performance.now());
  readonly #backoff: Backoff;
  /** Called when the wait for another thread is to end. */
  readonly #urgency = new WakeSignal();
  readonly #flushes = new Map<number, Flush>();
  #lastFlush = 0;
  /** Everything before it is in the database; undefined until a thread has said. */
  #position: Position | undefined;
  #releasing: Promise<void> = Promise.resolve();
  #worker: Worker | undefined;
  /** What threads that are no more have counted. */
  #earlier = zeroShipperCounters();
  #stopping = false;
  #running: Promise<void> | null = null;

  constructor(options: ThreadedShipperOptions) {
    const pace = options.pace ?? {};
    this.#options = {
      pace,
      onProblem: () => undefined,
      delay: systemDelay,
      startThread: startShippingThread,
      ...options,
    };
    const { smallestBackoffMilliseconds = 100, largestBackoffMilliseconds = 10_000 } = pace;
    this.#backoff = new Backoff(smallestBackoffMilliseconds, largestBackoffMilliseconds);
  }

  /** What is in the journal and not in the database. */
  get waiting(): ShippingBacklog {
    const { journal } = this.#options;
    return {
      records: journal.counters.records - this.counters.through,
      bytes: this.#position === undefined ? journal.storedBytes : journal.bytesBehind(this.#position),
      oldestSeconds: this.#backlog.oldestSeconds,
    };
  }

  /** Begins shipping, from where the last shipper of this journal came to. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Resolves once everything that was appended before the call is in the database. An attempt is made at once, also while the shipper is
   * waiting after a failure.
   * @throws ShippingError when that attempt fails, or the shipper is stopped; the records stay in the journal and are shipped later
   */
  async flush(): Promise<void> {
    const { journal } = this.#options;
    await journal.settle();
    if (this.#running === null || this.#stopping) throw new ShippingError('the shipper is not running');
    const target = journal.end;
    if (this.#position !== undefined && comparePositions(this.#position, target) >= 0) return;
    this.#end.write(target);
    await new Promise<void>((resolve, reject) => {
      const flush = ++this.#lastFlush;
      this.#flushes.set(flush, { resolve, reject });
      // As long as someone waits, the process must not end.
      this.#worker?.ref();
      this.#tell({ kind: 'flush', flush });
      this.#urgency.call();
    });
    await this.#releasing;
  }

  /** Finishes the batch under way and stops; what is left is shipped after the next start of the server. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#worker?.ref();
    this.#tell({ kind: 'leave' });
    this.#urgency.call();
    await this.#running;
    this.#rejectFlushes(new ShippingError('the shipper was stopped'));
    await this.#releasing;
  }

  async #run(): Promise<void> {
    const { journal } = this.#options;
    if (journal.storedBytes > 0) this.#backlog.written(journal.end);
    this.#end.write(journal.end);
    const unsubscribe = journal.onCommit(() => this.#committed(journal.end));
    try {
      while (!this.#stopping) await this.#liveThread();
    } finally {
      unsubscribe();
    }
  }

  #committed(end: Position): void {
    this.#backlog.written(end);
    this.#end.write(end);
    if (this.#end.takeQuestion()) this.#tell({ kind: 'grown' });
  }

  /** Starts a thread and sees it to its end; then waits until it is time for another one. */
  async #liveThread(): Promise<void> {
    const { asked, cause } = await this.#threadEnd();
    this.#worker = undefined;
    if (asked && this.#stopping) return;
    this.#lost(new ShippingThreadError({ cause }));
    if (this.#stopping) return;
    await this.#urgency.sleep((signal) => this.#options.delay(this.#backoff.take(), signal));
  }

  async #threadEnd(): Promise<ThreadEnd> {
    try {
      const worker = this.#startWorker();
      this.#worker = worker;
      for (const flush of this.#flushes.keys()) this.#tell({ kind: 'flush', flush });
      if (this.#flushes.size === 0) worker.unref();
      return await endOf(worker);
    } catch (cause) {
      return { asked: false, cause };
    }
  }

  #startWorker(): Worker {
    const { journal, database, pace, startThread } = this.#options;
    const worker = startThread({
      folder: journal.folder,
      firstSegment: journal.firstSegment,
      oldestSegment: journal.oldestSegment,
      end: this.#end.memory,
      from: this.#position,
      database,
      pace,
    });
    worker.on('message', (message: FromShippingThread) => this.#take(message));
    return worker;
  }

  #tell(message: ToShippingThread): void {
    this.#worker?.postMessage(message);
  }

  #take(message: FromShippingThread): void {
    switch (message.kind) {
      case 'progress':
        return this.#progress(message.position, message.counters);
      case 'problem':
        this.#count(message.counters);
        return this.#options.onProblem(errorFromPlain(message.error));
      case 'damage':
        this.#options.journal.counters.damagedBytes += message.bytes;
        return;
      case 'flushed':
        return this.#endFlush(message.flush, ({ resolve }) => resolve());
      case 'not-flushed': {
        const { flush, reason, cause } = message;
        const error = new ShippingError(reason, cause && { cause: errorFromPlain(cause) });
        return this.#endFlush(flush, ({ reject }) => reject(error));
      }
    }
  }

  #progress(position: Position, counters: ShipperCounters): void {
    if (counters.batches > 0) this.#backoff.reset();
    this.#count(counters);
    this.#position = position;
    this.#backlog.shipped(position);
    // One after another: two that delete the same segment would both take its bytes off the sum.
    this.#releasing = this.#releasing
      .then(() => this.#options.journal.release(position))
      .catch((error: unknown) => this.#options.onProblem(error));
  }

  /** In place: whoever reads the counters holds them. */
  #count(counters: ShipperCounters): void {
    for (const key of Object.keys(counters) as (keyof ShipperCounters)[])
      this.counters[key] = this.#earlier[key] + counters[key];
  }

  #endFlush(flush: number, settle: (flush: Flush) => void): void {
    const waiting = this.#flushes.get(flush);
    this.#flushes.delete(flush);
    if (this.#flushes.size === 0 && !this.#stopping) this.#worker?.unref();
    if (waiting !== undefined) settle(waiting);
  }

  #lost(error: ShippingThreadError): void {
    this.counters.failures++;
    this.#earlier = { ...this.counters };
    this.#options.onProblem(error);
    this.#rejectFlushes(new ShippingError('the thread that ships has ended', { cause: error }));
  }

  #rejectFlushes(error: ShippingError): void {
    const flushes = [...this.#flushes.values()];
    this.#flushes.clear();
    for (const { reject } of flushes) reject(error);
  }
}

interface ThreadEnd {
  /** Whether it has left, as threads do that were asked to. */
  asked: boolean;
  cause: unknown;
}

/** Resolves when a thread has ended. */
function endOf(worker: Worker): Promise<ThreadEnd> {
  return new Promise((resolve) => {
    let cause: unknown;
    worker.on('error', (error) => (cause = error));
    worker.once('exit', (code) => resolve({ asked: cause === undefined && code === 0, cause }));
  });
}
