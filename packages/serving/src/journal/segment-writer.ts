import { close, constants, fdatasync, ftruncate, open, write } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { syncFolder } from '../files/replace-file.ts';
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
  durability: Durability;
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
const WRITES_ARE_SYNCED = process.platform === 'linux';

/** Writes whole groups to the newest segment; what a failed write left behind is cut off again. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #descriptor: number | null = null;
  #segment: number;
  #offset = 0;
  /** Whether bytes may lie behind `#offset` that no one was told of. */
  #dirty = false;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#segment = options.firstSegment;
  }

  /** The end of what has been written for good. */
  get end(): Position {
    return { segment: this.#segment, offset: this.#offset };
  }

  /** Whether every write is brought to disk before it resolves. */
  get synced(): boolean {
    return this.#options.durability === 'disk';
  }

  /** Writes bytes at the end, as durably as asked for. When it throws, none of them is part of the journal. */
  async write(bytes: Buffer): Promise<void> {
    const descriptor = (this.#descriptor ??= await this.#open());
    if (this.#dirty) await this.#cut(descriptor);
    this.#dirty = true;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await writeBytes(
        descriptor,
        bytes,
        done,
        bytes.length - done,
        this.#offset + done,
      );
      done += bytesWritten;
    }
    if (this.synced && !WRITES_ARE_SYNCED) await syncData(descriptor);
    this.#offset += bytes.length;
    this.#dirty = false;
    if (this.#offset >= this.#options.segmentBytes) await this.rotate();
  }

  /** Cuts off what a failed write may have left, if the disk lets us; otherwise before the next write. */
  async discard(): Promise<void> {
    if (this.#descriptor !== null && this.#dirty) await this.#cut(this.#descriptor).catch(() => undefined);
  }

  /**
   * Closes the segment; the next write begins another. Also what follows an input/output error: after a failed sync the kernel may have
   * dropped the dirty pages and calls the next sync a success, so the same file must not be trusted again
   * (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
   */
  async rotate(): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === null) return;
    await this.discard();
    const sequence = this.#segment;
    this.#options.onClose({
      sequence,
      path: segmentPath(this.#options.folder, sequence),
      bytes: this.#offset,
    });
    this.#descriptor = null;
    this.#segment++;
    this.#offset = 0;
    this.#dirty = false;
    await closeFile(descriptor).catch(() => undefined);
  }

  async #cut(descriptor: number): Promise<void> {
    await truncateFile(descriptor, this.#offset);
    this.#dirty = false;
  }

  async #open(): Promise<number> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;
    const flags = O_WRONLY | O_CREAT | O_EXCL | (this.synced && WRITES_ARE_SYNCED ? O_DSYNC : 0);
    const path = segmentPath(this.#options.folder, this.#segment);
    const descriptor = await openFile(path, flags, 0o600);
    try {
      if (this.synced) await syncFolder(this.#options.folder);
      return descriptor;
    } catch (error) {
      // Taken away again, or the next try would find the name in use.
      await closeFile(descriptor);
      await rm(path, { force: true });
      throw error;
    }
  }
}
