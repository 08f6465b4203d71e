import { PerennialError } from '@perennial/contract';
import { ShippingError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalReader, RecordBatch } from '../journal/journal-reader.ts';
import { comparePositions, type Position } from '../journal/position.ts';
import { Backoff, systemDelay, type Delay } from '../waiting/delay.ts';
import { WakeSignal } from '../waiting/wake-signal.ts';
import { Backlog } from './backlog.ts';
import { RecordsRefusedError, type PredictionSink } from './prediction-sink.ts';
import { RejectsFile } from './rejects-file.ts';

export interface ShipperOptions {
  journal: Journal;
  sink: PredictionSink;
  /** @default the machine's timer */
  delay?: Delay;
  /** Records that are put into the database at once; whole frames, so up to a quarter more. @default 4000 */
  batchRecords?: number;
  /**
   * How long records may wait for others to go with them when the journal was empty, in milliseconds. Without it a busy server would
   * insert a few dozen rows a thousand times a second.
   * @default 200
   */
  lingerMilliseconds?: number;
  /** Wait before the first repetition after a failure, in milliseconds; doubled each time up to `largestBackoffMilliseconds`. @default 100 */
  smallestBackoffMilliseconds?: number;
  /** @default 10000 */
  largestBackoffMilliseconds?: number;
  /** Called with every failure to ship, for the log. The shipper tries again by itself. */
  onProblem?: (error: unknown) => void;
}

/** What has happened since the shipper was made. */
export interface ShipperCounters {
  /** Records that are in the database, or were there already. */
  shipped: number;
  batches: number;
  /** Failed attempts. */
  failures: number;
  /** Of the shipped and refused ones, those that were appended since the journal was opened. */
  through: number;
  /** Records that the database refuses for good; they are in the file `refused.jsonl` beside the journal. */
  refused: number;
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

interface FlushWaiter {
  target: Position;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Brings the journal to the database, batch by batch, and deletes the segments that are through. The cursor is moved after the database
 * has committed: a crash in between offers the batch again, and the primary key makes that harmless. While the database is away it waits,
 * tries again, and holds one batch in memory.
 */
export class Shipper {
  readonly counters: ShipperCounters = {
    shipped: 0,
    batches: 0,
    failures: 0,
    through: 0,
    refused: 0,
  };
  readonly #journal: Journal;
  readonly #sink: PredictionSink;
  readonly #delay: Delay;
  readonly #batchRecords: number;
  readonly #linger: number;
  readonly #backoff: Backoff;
  readonly #rejects: RejectsFile;
  readonly #onProblem: (error: unknown) => void;
  readonly #backlog = new Backlog(() => performance.now());
  /** Where the next batch begins; undefined until it is known. */
  #position: Position | undefined;
  /** Called when there may be records to ship. */
  readonly #arrival = new WakeSignal();
  /** Called when waiting, for company or after a failure, is to end. */
  readonly #urgency = new WakeSignal();
  #waiters: FlushWaiter[] = [];
  #batch: RecordBatch | undefined;
  #stopping = false;
  #running: Promise<void> | null = null;

  constructor(options: ShipperOptions) {
    this.#journal = options.journal;
    this.#sink = options.sink;
    this.#delay = options.delay ?? systemDelay;
    this.#batchRecords = options.batchRecords ?? 4_000;
    this.#linger = options.lingerMilliseconds ?? 200;
    this.#backoff = new Backoff(
      options.smallestBackoffMilliseconds ?? 100,
      options.largestBackoffMilliseconds ?? 10_000,
    );
    this.#rejects = new RejectsFile(options.journal.folder);
    this.#onProblem = options.onProblem ?? (() => undefined);
  }

  /** What is in the journal and not in the database. */
  get waiting(): ShippingBacklog {
    const journal = this.#journal;
    return {
      records: journal.counters.records - this.counters.through,
      bytes: Math.max(0, journal.storedBytes - (this.#position?.offset ?? 0)),
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
    await this.#journal.settle();
    if (this.#running === null || this.#stopping) throw new ShippingError('the shipper is not running');
    const target = this.#journal.end;
    return new Promise((resolve, reject) => {
      this.#waiters.push({ target, resolve, reject });
      this.#hurry();
    });
  }

  /** Finishes the batch under way and stops; what is left is shipped after the next start of the server. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#hurry();
    await this.#running;
    this.#rejectWaiters(new ShippingError('the shipper was stopped'));
  }

  #hurry(): void {
    this.#urgency.call();
    this.#arrival.call();
  }

  async #run(): Promise<void> {
    if (this.#journal.storedBytes > 0) this.#backlog.written(this.#journal.end);
    const unsubscribe = this.#journal.onCommit(() => {
      this.#backlog.written(this.#journal.end);
      this.#arrival.call();
    });
    try {
      const reader = await this.#openReader();
      while (reader !== undefined && !this.#stopping) await this.#step(reader);
    } finally {
      unsubscribe();
    }
  }

  async #openReader(): Promise<JournalReader | undefined> {
    while (!this.#stopping) {
      try {
        return this.#journal.read(await this.#journal.cursor.load());
      } catch (error) {
        await this.#recover(error);
      }
    }
    return undefined;
  }

  /** Ships one batch, or waits for one. */
  async #step(reader: JournalReader): Promise<void> {
    try {
      this.#batch ??= await reader.next(this.#batchRecords);
      if (this.#batch !== undefined) await this.#ship(this.#batch);
      this.#backoff.reset();
    } catch (error) {
      await this.#recover(error);
      return;
    }
    this.#position = reader.position;
    this.#backlog.shipped(reader.position);
    this.#resolveWaiters(reader.position);
    if (this.#batch === undefined) await this.#waitForRecords();
    this.#batch = undefined;
  }

  async #ship({ records, next }: RecordBatch): Promise<void> {
    await this.#insert(records);
    this.counters.batches++;
    if (next.segment >= this.#journal.firstSegment) this.counters.through += records.length;
    try {
      await this.#journal.cursor.save(next);
    } catch (error) {
      // A full disk must not stop the deletion of what is shipped, which is what makes room. After a restart the records that are still
      // there are offered again.
      this.#onProblem(error);
    }
    await this.#journal.release(next);
  }

  /** Inserts records; those that the database refuses for good are found by halving, and put aside so that the others can go. */
  async #insert(records: readonly string[]): Promise<void> {
    try {
      await this.#sink(records);
      this.counters.shipped += records.length;
    } catch (error) {
      if (!(error instanceof RecordsRefusedError)) throw error;
      const [only] = records;
      if (records.length === 1 && only !== undefined) {
        await this.#rejects.add(only);
        this.counters.refused++;
        this.#onProblem(error);
        return;
      }
      const half = Math.ceil(records.length / 2);
      await this.#insert(records.slice(0, half));
      await this.#insert(records.slice(half));
    }
  }

  async #waitForRecords(): Promise<void> {
    if (this.#stopping) return;
    await this.#arrival.sleep();
    if (this.#stopping || this.#waiters.length > 0) return;
    await this.#urgency.sleep((signal) => this.#delay(this.#linger, signal));
  }

  async #recover(error: unknown): Promise<void> {
    this.counters.failures++;
    this.#onProblem(error);
    this.#rejectWaiters(new ShippingError(reasonOf(error), { cause: error }));
    if (this.#stopping) return;
    await this.#urgency.sleep((signal) => this.#delay(this.#backoff.take(), signal));
  }

  #resolveWaiters(position: Position): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (comparePositions(waiter.target, position) > 0) return true;
      waiter.resolve();
      return false;
    });
  }

  #rejectWaiters(error: ShippingError): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof PerennialError ? error.message.replace(/\.$/, '') : 'an attempt failed';
}
