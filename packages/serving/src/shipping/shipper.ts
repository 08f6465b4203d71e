import { PerennialError } from '@perennial/contract';
import { ShippingError } from '../errors.ts';
import { CursorFile } from '../journal/cursor-file.ts';
import type { JournalReader, RecordBatch } from '../journal/journal-reader.ts';
import { comparePositions, type Position } from '../journal/position.ts';
import { Backoff, systemDelay, type Delay } from '../waiting/delay.ts';
import { WakeSignal } from '../waiting/wake-signal.ts';
import { Linger } from './linger.ts';
import { RecordsRefusedError, type PredictionSink } from './prediction-sink.ts';
import { RejectsFile } from './rejects-file.ts';

/** What shipping needs of a journal: the journal itself, or what a thread knows of it. */
export interface ShippedJournal {
  readonly folder: string;
  /** The first segment that was written since the journal was opened. */
  readonly firstSegment: number;
  /** The end of what is acknowledged. */
  readonly end: Position;
  /** Resolves once every append made before is written or has failed. */
  settle(): Promise<void>;
  /** A reader of what is acknowledged, from a position, or from the oldest record that is kept. */
  read(from?: Position): JournalReader;
  /** Resolves once something that is acknowledged lies behind a position, or the signal fires. */
  grown(beyond: Position, signal: AbortSignal): Promise<void>;
  /** Everything before a position is through: segments that end before it are not needed any more. */
  release(position: Position): Promise<void>;
}

/** How shipping goes about it. */
export interface ShippingPace {
  /** Records that are put into the database at once; whole frames, so up to a quarter more. @default 4000 */
  batchRecords?: number;
  /**
   * How long records may wait for others to go with them when the journal was empty, in milliseconds; up to `longestLingerMilliseconds` where that brings about a
   * thousand together. Without it a busy server would insert a few dozen rows a thousand times a second.
   * @default 200
   */
  lingerMilliseconds?: number;
  /** @default five times `lingerMilliseconds` */
  longestLingerMilliseconds?: number;
  /** Wait before the first repetition after a failure, in milliseconds; doubled each time up to `largestBackoffMilliseconds`. @default 100 */
  smallestBackoffMilliseconds?: number;
  /** @default 10000 */
  largestBackoffMilliseconds?: number;
}

export interface ShipperOptions extends ShippingPace {
  journal: ShippedJournal;
  sink: PredictionSink;
  /** Where to begin. @default where the cursor file says */
  from?: Position | undefined;
  /** @default the machine's timer */
  delay?: Delay;
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

export function zeroShipperCounters(): ShipperCounters {
  return { shipped: 0, batches: 0, failures: 0, through: 0, refused: 0 };
}

/**
 * Batches that are on their way at once while more than one waits. A connection of PostgreSQL works on one processor, and while it does this thread would only wait for it: one
 * alone brings 31,000 rows of 20 numbers a second.
 */
const BATCHES_AT_ONCE = 2;

/** A batch that is on its way. */
interface PendingBatch extends RecordBatch {
  /** Whether the database has it: one that has come through is not offered again with its neighbour that has not. */
  stored: boolean;
}

interface FlushWaiter {
  target: Position;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Brings the journal to the database, batch by batch, and deletes the segments that are through. The cursor is moved after the database
 * has committed: a crash in between offers the batch again, and the primary key makes that harmless. While the database is away it waits,
 * tries again, and holds four batches in memory at most.
 */
export class Shipper {
  readonly counters = zeroShipperCounters();
  readonly #journal: ShippedJournal;
  readonly #cursor: CursorFile;
  readonly #from: Position | undefined;
  readonly #sink: PredictionSink;
  readonly #delay: Delay;
  readonly #batchRecords: number;
  readonly #linger: Linger;
  readonly #backoff: Backoff;
  readonly #rejects: RejectsFile;
  readonly #onProblem: (error: unknown) => void;
  /** Called when waiting, for records, for company or after a failure, is to end. */
  readonly #urgency = new WakeSignal();
  #waiters: FlushWaiter[] = [];
  /** What is on its way, oldest first. */
  #batches: PendingBatch[] = [];
  /** Whether the records of the next batch have waited for company, as long as they were to. */
  #lingered = false;
  /** Up to where the journal was told that it is through. */
  #released: Position | undefined;
  #stopping = false;
  #running: Promise<void> | null = null;

  constructor(options: ShipperOptions) {
    this.#journal = options.journal;
    this.#cursor = new CursorFile(options.journal.folder);
    this.#from = options.from;
    this.#sink = options.sink;
    this.#delay = options.delay ?? systemDelay;
    this.#batchRecords = options.batchRecords ?? 4_000;
    const { lingerMilliseconds = 200, longestLingerMilliseconds = 5 * lingerMilliseconds } = options;
    this.#linger = new Linger(lingerMilliseconds, longestLingerMilliseconds);
    this.#backoff = new Backoff(
      options.smallestBackoffMilliseconds ?? 100,
      options.largestBackoffMilliseconds ?? 10_000,
    );
    this.#rejects = new RejectsFile(options.journal.folder);
    this.#onProblem = options.onProblem ?? (() => undefined);
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
      this.#urgency.call();
    });
  }

  /** Finishes the batch under way and stops; what is left is shipped after the next start of the server. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#urgency.call();
    await this.#running;
    this.#rejectWaiters(new ShippingError('the shipper was stopped'));
  }

  async #run(): Promise<void> {
    const reader = await this.#openReader();
    while (reader !== undefined && !this.#stopping) await this.#step(reader);
  }

  async #openReader(): Promise<JournalReader | undefined> {
    while (!this.#stopping) {
      try {
        const reader = this.#journal.read(this.#from ?? (await this.#cursor.load()));
        await this.#release(reader.position);
        return reader;
      } catch (error) {
        await this.#recover(error);
      }
    }
    return undefined;
  }

  /** Ships what there is of up to two batches, or waits for one. While they are on their way, those after them are read. */
  async #step(reader: JournalReader): Promise<void> {
    const end = this.#journal.end;
    let through: Position;
    try {
      if (this.#batches.length === 0) await this.#readBatches(reader, BATCHES_AT_ONCE);
      const leaving = this.#batches.slice(0, BATCHES_AT_ONCE);
      through = leaving.at(-1)?.next ?? reader.position;
      await allEnded([this.#ship(leaving), this.#readBatches(reader, 2 * BATCHES_AT_ONCE)]);
      await this.#release(through);
      this.#backoff.reset();
    } catch (error) {
      await this.#recover(error);
      return;
    }
    this.#resolveWaiters(through);
    // What came meanwhile waits for company too: shipped at once, a batch of a thousand is followed by one of 300, of 100, of 30.
    if (this.#batches.length === 0 && comparePositions(reader.position, end) >= 0)
      await this.#waitForRecords(reader.position);
  }

  /** Until there are so many. Behind a batch that is not full there is nothing yet. */
  async #readBatches(reader: JournalReader, most: number): Promise<void> {
    while (this.#batches.length < most) {
      const last = this.#batches.at(-1);
      if (last !== undefined && last.records.length < this.#batchRecords) return;
      const batch = await reader.next(this.#batchRecords);
      if (batch === undefined) return;
      this.#batches.push({ ...batch, stored: false });
    }
  }

  /** @throws the fault of the oldest batch that did not come through; those before it have */
  async #ship(batches: readonly PendingBatch[]): Promise<void> {
    try {
      await allEnded(batches.map((batch) => this.#store(batch)));
    } finally {
      while (this.#batches[0]?.stored === true) await this.#leaveBehind(this.#batches.shift()!);
    }
    if (this.#lingered) this.#linger.found(batches.reduce((sum, { records }) => sum + records.length, 0));
    this.#lingered = false;
  }

  async #store(batch: PendingBatch): Promise<void> {
    if (batch.stored) return;
    await this.#insert(batch.records);
    batch.stored = true;
    this.counters.batches++;
  }

  async #leaveBehind({ records, next }: PendingBatch): Promise<void> {
    if (next.segment >= this.#journal.firstSegment) this.counters.through += records.length;
    try {
      await this.#cursor.save(next);
    } catch (error) {
      // A full disk must not stop the deletion of what is shipped, which is what makes room. After a restart the records that are still
      // there are offered again.
      this.#onProblem(error);
    }
  }

  async #release(position: Position): Promise<void> {
    if (this.#released !== undefined && comparePositions(position, this.#released) <= 0) return;
    await this.#journal.release(position);
    this.#released = position;
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

  async #waitForRecords(position: Position): Promise<void> {
    if (this.#stopping) return;
    await this.#urgency.sleep((signal) => this.#journal.grown(position, signal));
    if (this.#stopping || this.#waiters.length > 0) return;
    await this.#urgency.sleep((signal) => this.#delay(this.#linger.milliseconds, signal));
    this.#lingered = this.#waiters.length === 0;
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

/** As `Promise.all`, but that none is under way any more when it throws. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

function reasonOf(error: unknown): string {
  return error instanceof PerennialError ? error.message.replace(/\.$/, '') : 'an attempt failed';
}
