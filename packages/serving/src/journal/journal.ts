import { mkdir } from 'node:fs/promises';
import { JournalClosedError, JournalFullError, JournalWriteError, OverloadedError } from '../errors.ts';
import { systemErrorCode } from '../files/error-code.ts';
import { ClosedSegments } from './closed-segments.ts';
import type { EncodedFrames } from './frame-buffer.ts';
import { CommitGroup } from './commit-group.ts';
import { CursorFile } from './cursor-file.ts';
import { FolderLock } from './folder-lock.ts';
import { JOURNAL_DEFAULTS, zeroCounters, type AppendTerms, type JournalOptions } from './journal-options.ts';
import { JournalReader } from './journal-reader.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { comparePositions, type Position } from './position.ts';
import { listSegments, type SegmentFile } from './segment-files.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SyncQueue } from './sync-queue.ts';
import { cutTornTail } from './torn-tail.ts';

/** How long records that nobody waits for may gather before they are written, in milliseconds, and how many bytes of them. A write for each turn of the event loop costs as much as the predictions of the turn. */
const LINGER_MILLISECONDS = 5;
const LINGER_BYTES = 256 * 1024;

/** EDQUOT: the user's quota, EFBIG: the limit of a file's size. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * The local, append-only record of predictions. Appends that arrive while a group is being written wait for each other and are written by
 * one write (group commit): the disk's own pace decides how large groups are, and no timer does.
 *
 * A group that could not be written is cut off again and its appends fail; the next one is tried afresh, so that the journal works again as
 * soon as there is room. After a crash the unfinished end of the last segment is cut off; what was acknowledged lies before it. Damage in
 * the middle of a segment is stepped over to the next frame whose sum is right, and counted.
 */
export class Journal {
  readonly counters = zeroCounters();
  /** How long groups took from the start of their write until they were as durable as was asked. */
  readonly commitTimes = new LatencyHistogram();
  /** The first segment that this opening writes. */
  readonly firstSegment: number;
  readonly #options: Required<JournalOptions>;
  readonly #lock: FolderLock;
  readonly #writer: SegmentWriter;
  readonly #syncs: SyncQueue;
  readonly #closedSegments: ClosedSegments;
  readonly #listeners = new Set<() => void>();
  #gathering = new CommitGroup(null);
  #writing: CommitGroup | null = null;
  #spare: Buffer | null = null;
  #draining: Promise<void> = Promise.resolve();
  #idle = true;
  /** Until records that nobody waits for are written. */
  #linger: NodeJS.Timeout | null = null;
  #closed = false;

  private constructor(options: Required<JournalOptions>, opened: OpenedFolder) {
    this.#options = options;
    this.#lock = opened.lock;
    this.firstSegment = opened.nextSegment;
    this.#closedSegments = new ClosedSegments(opened.segments);
    this.#writer = new SegmentWriter({
      ...options,
      firstSegment: opened.nextSegment,
      onClose: (segment) => this.#closedSegments.add(segment),
    });
    this.#syncs = new SyncQueue({
      sync: () => this.#sync(),
      onFailure: (groups) => (this.counters.failures += groups),
    });
    this.counters.tornBytes = opened.tornBytes;
  }

  /**
   * Opens the journal of a folder for writing, after cutting off what a crash left unfinished.
   * @throws JournalLockedError when another live process has it open
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const complete = { ...JOURNAL_DEFAULTS, ...options };
    await mkdir(complete.folder, { recursive: true, mode: 0o700 });
    const lock = await FolderLock.acquire(complete.folder, {
      waitMilliseconds: complete.lockWaitMilliseconds,
    });
    try {
      return new Journal(complete, await prepareFolder(complete.folder, lock));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** The end of what is acknowledged. */
  get end(): Position {
    return this.#writer.end;
  }

  /** Bytes of records that wait to be written. */
  get queuedBytes(): number {
    return this.#gathering.length + (this.#writing?.length ?? 0);
  }

  /** Bytes of segments on disk. */
  get storedBytes(): number {
    return this.#closedSegments.bytes + this.#writer.end.offset;
  }

  /**
   * Puts records on record; resolves once they are as durable as the terms say. Records of one call stay in order; they are
   * not a unit: when the promise rejects after a crash of the disk, some may be found later.
   * @param records - JSON texts without line feeds, as `encodePrediction` makes them
   * @throws OverloadedError, JournalFullError, JournalWriteError, JournalClosedError, RecordTooLargeError
   */
  async append(records: readonly string[], terms: AppendTerms = {}): Promise<void> {
    await this.#append(records.length, terms, (group) => group.add(records));
  }

  /**
   * As `append`, of records that were put into frames elsewhere: by `encodeColumnPredictions`, or on another thread.
   * @throws OverloadedError, JournalFullError, JournalWriteError, JournalClosedError
   */
  async appendFrames({ bytes, rows }: EncodedFrames, terms: AppendTerms = {}): Promise<void> {
    await this.#append(rows, terms, (group) => group.addFrames(bytes, rows));
  }

  async #append(count: number, terms: AppendTerms, add: (group: CommitGroup) => void): Promise<void> {
    if (this.#closed) throw new JournalClosedError();
    if (count === 0) return;
    const { durability = this.#options.durability, whenFull = this.#options.whenFull } = terms;
    this.#checkQueue();
    const droppable = whenFull === 'drop-and-count';
    if (this.storedBytes + this.queuedBytes >= this.#options.maxBytes) {
      if (!droppable) throw this.#refuse(count);
      this.counters.dropped += count;
      return;
    }
    const group = this.#gathering;
    add(group);
    // What is acknowledged before it is written can only be dropped, whatever the policy.
    group.promise(durability, droppable || durability === 'none' ? count : 0);
    this.counters.appends++;
    this.#wake();
    if (durability === 'none') return;
    try {
      await (durability === 'disk' ? group.synced : group.written);
    } catch (error) {
      if (!(droppable && error instanceof JournalFullError)) throw error;
    }
  }

  #checkQueue(): void {
    const { queueBytes } = this.#options;
    if (this.queuedBytes < queueBytes) return;
    this.counters.overloads++;
    throw new OverloadedError('the prediction journal', queueBytes, 'bytes');
  }

  #wake(): void {
    if (!this.#idle) return;
    if (this.#isDue) this.#begin();
    else this.#linger ??= setTimeout(() => this.#begin(), LINGER_MILLISECONDS);
  }

  /** Whether what has gathered is to be written now. */
  get #isDue(): boolean {
    const { awaited, length } = this.#gathering;
    return awaited || length >= LINGER_BYTES || this.#closed;
  }

  #begin(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
    if (!this.#idle) return;
    this.#idle = false;
    this.#draining = this.#drain();
  }

  /** Resolves once every append made before is written or has failed. */
  async settle(): Promise<void> {
    this.#begin();
    const written = [this.#writing, this.#gathering].flatMap((group) =>
      group?.length ? [group.written] : [],
    );
    await Promise.allSettled(written);
  }

  /** Calls the listener after every group that was written, until the returned function is called. */
  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once something that is acknowledged lies behind a position, or the signal fires. */
  grown(beyond: Position, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!signal.aborted && comparePositions(this.end, beyond) <= 0) return;
        stop();
        signal.removeEventListener('abort', look);
        resolve();
      };
      const stop = this.onCommit(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  /** The first segment that is kept. */
  get oldestSegment(): number {
    return this.#closedSegments.oldest ?? this.#writer.end.segment;
  }

  /** Bytes on disk that lie behind a position. */
  bytesBehind({ segment, offset }: Position): number {
    return Math.max(0, this.#closedSegments.bytesFrom(segment) + this.#writer.end.offset - offset);
  }

  /** A reader of what is acknowledged, from a position, or from the oldest record that is kept. */
  read(from?: Position): JournalReader {
    return new JournalReader({
      folder: this.#options.folder,
      oldest: this.oldestSegment,
      from,
      end: () => this.#writer.end,
      onDamage: (bytes) => (this.counters.damagedBytes += bytes),
    });
  }

  /** Deletes the segments whose every record lies before a position. */
  async release(position: Position): Promise<void> {
    await this.#closedSegments.deleteBefore(position.segment);
  }

  /** Writes what waits, then lets the folder go. Appends from now on are refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#begin();
    await this.#draining;
    await this.#syncs.settled();
    await this.#writer.rotate();
    await this.#lock.release();
  }

  async #drain(): Promise<void> {
    // Lets every append of this turn join the first group.
    await Promise.resolve();
    for (let first = true; this.#gathering.length > 0 && (first || this.#isDue); first = false) {
      const group = this.#gathering;
      this.#writing = group;
      this.#gathering = new CommitGroup(this.#spare);
      await this.#commit(group);
      this.#writing = null;
      this.#spare = group.spare;
    }
    this.#idle = true;
    if (this.#gathering.length > 0) this.#wake();
  }

  async #commit(group: CommitGroup): Promise<void> {
    const started = performance.now();
    let synced: boolean;
    try {
      synced = await this.#writer.write(group.bytes, group.wants);
    } catch (error) {
      await this.#fail(group, error);
      return;
    }
    this.counters.records += group.records;
    this.counters.bytes += group.length;
    this.counters.commits++;
    if (synced) this.counters.syncs++;
    group.settleWritten();
    for (const listener of this.#listeners) listener();
    if (synced || group.wants === 'write') this.#settleSynced(group, started);
    else this.#syncs.add({ settle: (error) => this.#settleSynced(group, started, error) });
  }

  #settleSynced(group: CommitGroup, started: number, error?: unknown): void {
    group.settleSynced(error);
    this.commitTimes.observe((performance.now() - started) / 1_000);
  }

  async #sync(): Promise<void> {
    await this.#writer.sync();
    this.counters.syncs++;
  }

  async #fail(group: CommitGroup, error: unknown): Promise<void> {
    if (NO_ROOM.has(systemErrorCode(error) ?? '')) {
      await this.#writer.discard();
      this.counters.dropped += group.droppable;
      group.fail(this.#refuse(group.records - group.droppable, error));
      return;
    }
    this.counters.failures++;
    await this.#writer.rotate();
    group.fail(new JournalWriteError({ cause: error }));
  }

  /** Counts records that found no room; answers with the error that their callers are to have. */
  #refuse(records: number, cause?: unknown): JournalFullError {
    this.counters.refused += records;
    return new JournalFullError({ cause });
  }
}

interface OpenedFolder {
  lock: FolderLock;
  segments: SegmentFile[];
  nextSegment: number;
  tornBytes: number;
}

async function prepareFolder(folder: string, lock: FolderLock): Promise<OpenedFolder> {
  const shipped = await new CursorFile(folder).load();
  const newest = (await listSegments(folder)).at(-1);
  const tornBytes = newest === undefined ? 0 : await cutTornTail(newest);
  // Always a new segment, beyond the cursor's: after a power cut a segment that was written without sync may be shorter than what was
  // shipped of it, or gone, and records put where the cursor has been would never be shipped.
  const nextSegment = Math.max(newest?.sequence ?? 0, shipped?.segment ?? 0) + 1;
  return { lock, segments: await listSegments(folder), nextSegment, tornBytes };
}
