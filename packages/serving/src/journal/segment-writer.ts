import { close, constants, fdatasync, ftruncate, open, write } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { syncFolder } from '../files/replace-file.ts';
import type { GroupWants } from './commit-group.ts';
import type { Position } from './position.ts';
import { segmentPath, type SegmentFile } from './segment-files.ts';

/**
 * When an append is acknowledged: `disk` once its bytes are on the disk (survives a power cut), `process` once they are with the operating
 * system (survives the end of the process), `none` at once.
 */
export type Durability = 'disk' | 'process' | 'none';

export interface SegmentWriterOptions {
  folder: string;
  /** Sequence number of the first segment; no segment of that number exists. */
  firstSegment: number;
  /** A segment that has reached this size is closed and the next begun. */
  segmentBytes: number;
  /** Called for every segment that is closed. */
  onClose: (segment: SegmentFile) => void;
}

// Callbacks rather than FileHandle: half the time of the call at this size of write, and it is made for every group.
const openFile = promisify(open);
const closeFile = promisify(close);
const truncateFile = promisify(ftruncate);
const syncData = promisify(fdatasync);
const writeBytes = promisify(write);

/**
 * Linux completes a write to a file opened with O_DSYNC as write and fdatasync together (open(2)): one trip to the thread pool instead of
 * two, which took 30 % more groups a second. Elsewhere the flag promises less than fdatasync, or is absent.
 */
const WRITES_CAN_SYNC = process.platform === 'linux';

/** A segment that is being written. Both descriptors are of the same file; each is opened when it is first needed. */
interface OpenSegment {
  path: string;
  /** Writes are on the disk when they resolve. */
  syncing: number | null;
  /** Writes are with the operating system when they resolve. */
  plain: number | null;
}

/**
 * Writes whole groups to the newest segment; what a failed write left behind is cut off again.
 *
 * As long as everyone wants the disk, writes go through O_DSYNC. Once a segment has had a group that somebody wants acknowledged sooner, its writes are plain
 * ones and `sync` brings them to the disk beside the writes that follow, so that who does not wait for the disk does not wait for those who do either.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #open: OpenSegment | null = null;
  #segment: number;
  #offset = 0;
  /** Whether bytes may lie behind `#offset` that no one was told of. */
  #dirty = false;
  /** Whether plain writes of the segment are still to be brought to the disk. */
  #owesSync = false;
  #folderSynced = false;
  /** Why what was written plainly may not be on the disk: until it is told, and until the segment is closed. */
  #syncFailure: { error: unknown } | null = null;
  /** The last sync of the segment, under way or over. */
  #syncing: Promise<void> = Promise.resolve();

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#segment = options.firstSegment;
  }

  /** The end of what has been written for good. */
  get end(): Position {
    return { segment: this.#segment, offset: this.#offset };
  }

  /**
   * Writes bytes at the end; answers whether they are on the disk, as far as that is wanted: where they are not, `sync` follows. When it throws, none of
   * them is part of the journal.
   */
  async write(bytes: Buffer, wants: GroupWants): Promise<boolean> {
    if (this.#syncFailure !== null) await this.rotate();
    const direct = WRITES_CAN_SYNC && wants === 'disk' && this.#open?.plain == null;
    const descriptor = await this.#descriptor(direct);
    if (this.#dirty) await this.#cut(descriptor);
    this.#dirty = true;
    await writeAll(descriptor, bytes, this.#offset);
    this.#offset += bytes.length;
    this.#dirty = false;
    if (wants !== 'write' && !direct) this.#owesSync = true;
    if (this.#offset >= this.#options.segmentBytes) await this.rotate();
    return direct;
  }

  /** Brings everything that was written to the disk. After a failure the segment is given up: see `rotate`. */
  async sync(): Promise<void> {
    const failure = this.#syncFailure;
    if (failure !== null) throw failure.error;
    const plain = this.#open?.plain ?? null;
    if (this.#owesSync && plain !== null) {
      this.#owesSync = false;
      this.#syncing = this.#syncPlain(plain);
      this.#syncing.catch(() => undefined);
    }
    await this.#syncing;
  }

  async #syncPlain(descriptor: number): Promise<void> {
    try {
      if (!this.#folderSynced) await syncFolder(this.#options.folder);
      this.#folderSynced = true;
      await syncData(descriptor);
    } catch (error) {
      this.#syncFailure = { error };
      throw error;
    }
  }

  /** Cuts off what a failed write may have left, if the disk lets us; otherwise before the next write. */
  async discard(): Promise<void> {
    const descriptor = this.#open?.plain ?? this.#open?.syncing ?? null;
    if (descriptor !== null && this.#dirty) await this.#cut(descriptor).catch(() => undefined);
  }

  /**
   * Closes the segment; the next write begins another. Also what follows an input/output error: after a failed sync the kernel may have
   * dropped the dirty pages and calls the next sync a success, so the same file must not be trusted again
   * (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
   */
  async rotate(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    await this.#syncing.catch(() => undefined);
    const trusted = this.#syncFailure === null;
    // Who waits for this sync is told by their own call of `sync`: it finds nothing owed, or this failure.
    if (trusted) await this.sync().catch(() => undefined);
    await this.discard();
    this.#options.onClose({ sequence: this.#segment, path: open.path, bytes: this.#offset });
    this.#open = null;
    this.#segment++;
    this.#offset = 0;
    this.#dirty = false;
    this.#owesSync = false;
    this.#folderSynced = false;
    if (!trusted) {
      this.#syncFailure = null;
      this.#syncing = Promise.resolve();
    }
    for (const descriptor of [open.plain, open.syncing]) {
      if (descriptor !== null) await closeFile(descriptor).catch(() => undefined);
    }
  }

  async #cut(descriptor: number): Promise<void> {
    await truncateFile(descriptor, this.#offset);
    this.#dirty = false;
  }

  /** The descriptor to write through; the segment is begun when there is none. */
  async #descriptor(direct: boolean): Promise<number> {
    const kind = direct ? 'syncing' : 'plain';
    const known = this.#open?.[kind] ?? null;
    if (known !== null) return known;
    const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;
    const flags = O_WRONLY | (direct ? O_DSYNC : 0);
    if (this.#open !== null) return (this.#open[kind] = await openFile(this.#open.path, flags));
    const path = segmentPath(this.#options.folder, this.#segment);
    const descriptor = await openFile(path, flags | O_CREAT | O_EXCL, 0o600);
    try {
      if (direct) await syncFolder(this.#options.folder);
    } catch (error) {
      // Taken away again, or the next try would find the name in use.
      await closeFile(descriptor);
      await rm(path, { force: true });
      throw error;
    }
    this.#folderSynced = direct;
    this.#open = { path, syncing: null, plain: null, [kind]: descriptor };
    return descriptor;
  }
}

async function writeAll(descriptor: number, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await writeBytes(descriptor, bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}
