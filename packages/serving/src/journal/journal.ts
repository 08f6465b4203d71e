import { mkdir } from 'node:fs/promises';
import { JournalClosedError, JournalFullError, JournalWriteError, OverloadedError } from '../errors.ts';
import { systemErrorCode } from '../files/error-code.ts';
import { ClosedSegments } from './closed-segments.ts';
import { CommitGroup } from './commit-group.ts';
import { CursorFile } from './cursor-file.ts';
import { FolderLock } from './folder-lock.ts';
import { JournalReader } from './journal-reader.ts';
import type { Position } from './position.ts';
import { listSegments, type SegmentFile } from './segment-files.ts';
import { SegmentWriter, type Durability } from './segment-writer.ts';
import { cutTornTail } from './torn-tail.ts';

export interface JournalOptions {
  /** Folder of its own; made when it is not there. */
  folder: string;
  /** @default 'disk' */
  durability?: Durability;
  /** Size at which a segment is closed and the next begun, in bytes. @default 64 MiB */
  segmentBytes?: number;
  /** Most bytes of records that wait to be written before appends are refused as overload. @default 64 MiB */
  queueBytes?: number;
  /** Most bytes of segments on disk before the journal counts as full, as if its disk were. @default 16 GiB */
  maxBytes?: number;
  /**
   * What an append does when there is no room: fail with JournalFullError, so that no prediction is given that is not on record, or
   * succeed without a record and count it.
   * @default 'refuse'
   */
  whenFull?: 'refuse' | 'drop-and-count';
}

/** What has happened since the journal was opened. */
export interface JournalCounters {
  /** Calls of `append` that were taken. */
  appends: number;
  /** Records written. */
  records: number;
  /** Bytes written, frames included. */
  bytes: number;
  /** Groups written, each by one write. */
  commits: number;
  /** Groups that were also brought to disk. */
  syncs: number;
  /** Appends refused because too much waits to be written. */
  overloads: number;
  /** Records that found no room and were refused. */
  refused: number;
  /** Records that found no room and were dropped. */
  dropped: number;
  /** Groups that could not be written for another reason than room. */
  failures: number;
  /** Bytes of an unfinished last frame, cut off when the journal was opened. */
  tornBytes: number;
  /** Bytes that readers stepped over because they are no whole frame. */
  damagedBytes: number;
}

const MEBIBYTE = 1024 * 1024;
const DEFAULTS = {
  durability: 'disk',
  segmentBytes: 64 * MEBIBYTE,
  queueBytes: 64 * MEBIBYTE,
  maxBytes: 16 * 1024 * MEBIBYTE,
  whenFull: 'refuse',
} as const;

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
  readonly counters: JournalCounters = {
    appends: 0,
    records: 0,
    bytes: 0,
    commits: 0,
    syncs: 0,
    overloads: 0,
    refused: 0,
    dropped: 0,
    failures: 0,
    tornBytes: 0,
    damagedBytes: 0,
  };
  readonly cursor: CursorFile;
  readonly #options: Required<JournalOptions>;
  readonly #lock: FolderLock;
  readonly #writer: SegmentWriter;
  readonly #closedSegments: ClosedSegments;
  readonly #listeners = new Set<() => void>();
  #gathering = new CommitGroup(null);
  #writing: CommitGroup | null = null;
  #spare: Buffer | null = null;
  #draining: Promise<void> = Promise.resolve();
  #idle = true;
  #closed = false;

  private constructor(options: Required<JournalOptions>, opened: OpenedFolder) {
    this.#options = options;
    this.#lock = opened.lock;
    this.cursor = opened.cursor;
    this.#closedSegments = new ClosedSegments(opened.segments);
    this.#writer = new SegmentWriter({
      ...options,
      firstSegment: opened.nextSegment,
      onClose: (segment) => this.#closedSegments.add(segment),
    });
    this.counters.tornBytes = opened.tornBytes;
  }

  /**
   * Opens the journal of a folder for writing, after cutting off what a crash left unfinished.
   * @throws JournalLockedError when another live process has it open
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const complete = { ...DEFAULTS, ...options };
    await mkdir(complete.folder, { recursive: true, mode: 0o700 });
    const lock = await FolderLock.acquire(complete.folder);
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
   * Puts records on record; resolves once they are as durable as the journal was opened for. Records of one call stay in order; they are
   * not a unit: when the promise rejects after a crash of the disk, some may be found later.
   * @param records - JSON texts without line feeds, as `encodePrediction` makes them
   * @throws OverloadedError, JournalFullError, JournalWriteError, JournalClosedError, RecordTooLargeError
   */
  async append(records: readonly string[]): Promise<void> {
    if (this.#closed) throw new JournalClosedError();
    if (records.length === 0) return;
    const { queueBytes, maxBytes, durability } = this.#options;
    if (this.queuedBytes >= queueBytes) {
      this.counters.overloads++;
      throw new OverloadedError('the prediction journal', queueBytes, 'bytes');
    }
    if (this.storedBytes + this.queuedBytes >= maxBytes) {
      const refusal = this.#countWithoutRoom(records.length);
      if (refusal !== undefined) throw refusal;
      return;
    }
    this.#gathering.add(records);
    this.counters.appends++;
    const { written } = this.#gathering;
    if (this.#idle) {
      this.#idle = false;
      this.#draining = this.#drain();
    }
    if (durability !== 'none') await written;
  }

  /** Resolves once every append made before is written or has failed. */
  async settle(): Promise<void> {
    if (this.#idle) return;
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

  /** A reader of what is acknowledged, from a position, or from the oldest record that is kept. */
  read(from?: Position): JournalReader {
    const oldest = this.#closedSegments.oldest ?? this.#writer.end.segment;
    const start = from !== undefined && from.segment >= oldest ? from : { segment: oldest, offset: 0 };
    return new JournalReader({
      folder: this.#options.folder,
      from: start,
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
    await this.#draining;
    await this.#writer.rotate();
    await this.#lock.release();
  }

  async #drain(): Promise<void> {
    // Lets every append of this turn join the first group.
    await Promise.resolve();
    while (this.#gathering.length > 0) {
      const group = this.#gathering;
      this.#writing = group;
      this.#gathering = new CommitGroup(this.#spare);
      await this.#commit(group);
      this.#writing = null;
      this.#spare = group.spare;
    }
    this.#idle = true;
  }

  async #commit(group: CommitGroup): Promise<void> {
    try {
      await this.#writer.write(group.bytes);
    } catch (error) {
      await this.#fail(group, error);
      return;
    }
    this.counters.records += group.records;
    this.counters.bytes += group.length;
    this.counters.commits++;
    if (this.#writer.synced) this.counters.syncs++;
    group.settle();
    for (const listener of this.#listeners) listener();
  }

  async #fail(group: CommitGroup, error: unknown): Promise<void> {
    if (NO_ROOM.has(systemErrorCode(error) ?? '')) {
      await this.#writer.discard();
      group.settle(this.#countWithoutRoom(group.records, error));
      return;
    }
    this.counters.failures++;
    await this.#writer.rotate();
    group.settle(new JournalWriteError({ cause: error }));
  }

  /** Counts records that found no room; answers with the error that their callers are to have, unless records may be dropped. */
  #countWithoutRoom(records: number, cause?: unknown): JournalFullError | undefined {
    if (this.#options.whenFull === 'drop-and-count') {
      this.counters.dropped += records;
      return undefined;
    }
    this.counters.refused += records;
    return new JournalFullError({ cause });
  }
}

interface OpenedFolder {
  lock: FolderLock;
  cursor: CursorFile;
  segments: SegmentFile[];
  nextSegment: number;
  tornBytes: number;
}

async function prepareFolder(folder: string, lock: FolderLock): Promise<OpenedFolder> {
  const cursor = new CursorFile(folder);
  const shipped = await cursor.load();
  const newest = (await listSegments(folder)).at(-1);
  const tornBytes = newest === undefined ? 0 : await cutTornTail(newest);
  // Always a new segment, beyond the cursor's: after a power cut a segment that was written without sync may be shorter than what was
  // shipped of it, or gone, and records put where the cursor has been would never be shipped.
  const nextSegment = Math.max(newest?.sequence ?? 0, shipped?.segment ?? 0) + 1;
  return { lock, cursor, segments: await listSegments(folder), nextSegment, tornBytes };
}
