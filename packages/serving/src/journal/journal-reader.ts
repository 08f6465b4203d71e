import { open, stat } from 'node:fs/promises';
import { JournalTruncatedError } from '../errors.ts';
import { systemErrorCode } from '../files/error-code.ts';
import { expandInTurns } from './column-expansion.ts';
import { columnsRows } from './column-layout.ts';
import { frameRecords, walkFrames } from './frame.ts';
import type { Position } from './position.ts';
import { segmentPath } from './segment-files.ts';

/** What is read from a segment at once, in bytes: about a thousand records. */
const CHUNK_BYTES = 256 * 1024;
/**
 * Bytes of frames after which a batch is full, whatever its rows: as texts and lines they take up to ten times as much. 4,000 records of 20 numbers are 2.5 MB; of a thousand
 * columns they would be a hundred times that.
 */
const BATCH_BYTES = 8 * 1024 * 1024;

/** Records read from the journal, and the position behind them. */
export interface RecordBatch {
  /** JSON texts, in the order they were written. */
  records: string[];
  next: Position;
}

export interface JournalReaderOptions {
  folder: string;
  /** The first segment that is kept. */
  oldest: number;
  /** Where to begin, unless it is not kept any more. @default the oldest record that is kept */
  from?: Position | undefined;
  /** How far may be read: the end of what is acknowledged. */
  end: () => Position;
  /** Called with the number of bytes that were stepped over because they are no whole frame. */
  onDamage: (bytes: number) => void;
}

/** Reads the journal once, forwards, from a position. */
export class JournalReader {
  readonly #options: JournalReaderOptions;
  /** Where the next frame begins. */
  #position: Position;
  /** Bytes of the segment from `#position` on that have been read already. */
  #buffered: Buffer = Buffer.alloc(0);

  constructor(options: JournalReaderOptions) {
    this.#options = options;
    const { from, oldest } = options;
    this.#position = from !== undefined && from.segment >= oldest ? from : { segment: oldest, offset: 0 };
  }

  /** Everything before this place has been answered by `next`. */
  get position(): Position {
    return this.#position;
  }

  /**
   * The next records, all of one segment: at least `count` of them unless the segment ends before (then those there are) or they are large (8 MiB of frames), and no
   * more than the rest of the frame that reaches the count. Undefined when there is none.
   */
  async next(count: number): Promise<RecordBatch | undefined> {
    const start = this.#position;
    try {
      return await this.#next(count);
    } catch (error) {
      this.#enter(start);
      throw error;
    }
  }

  async #next(count: number): Promise<RecordBatch | undefined> {
    const taken = new TakenFrames();
    while (!taken.fill(count)) {
      const { limit, closed } = await this.#segmentLimit();
      const unread = limit - this.#position.offset - this.#buffered.length;
      if (this.#takeFrames(taken, { count, final: unread <= 0 })) continue;
      if (unread > 0) await this.#fill(unread);
      else if (closed && taken.rows === 0) this.#enter({ segment: this.#position.segment + 1, offset: 0 });
      else break;
    }
    return taken.rows === 0 ? undefined : { records: await taken.records(), next: this.#position };
  }

  /** How far the current segment may be read, and whether it will grow no more. */
  async #segmentLimit(): Promise<{ limit: number; closed: boolean }> {
    const end = this.#options.end();
    const { segment } = this.#position;
    if (segment >= end.segment) return { limit: segment === end.segment ? end.offset : 0, closed: false };
    return { limit: await this.#segmentBytes(segment), closed: true };
  }

  /** A segment that is not there (shipped and deleted, or never written) is an empty one. */
  async #segmentBytes(segment: number): Promise<number> {
    try {
      return (await stat(segmentPath(this.#options.folder, segment))).size;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return 0;
      throw error;
    }
  }

  /** Takes whole frames off the buffer until there are enough rows; answers whether it moved on. */
  #takeFrames(frames: TakenFrames, { count, final }: { count: number; final: boolean }): boolean {
    let taken = 0;
    for (const { kind, start, end } of walkFrames(this.#buffered, final)) {
      if (kind === 'rows') frames.addRows(frameRecords(this.#buffered, start, end), end - start);
      else if (kind === 'columns') frames.addColumns(this.#buffered.subarray(start, end));
      else this.#options.onDamage(end - start);
      taken = end;
      if (frames.fill(count)) break;
    }
    if (final && taken === 0 && this.#buffered.length > 0) {
      // A torn tail in a segment that was not the last when the journal was opened.
      taken = this.#buffered.length;
      this.#options.onDamage(taken);
    }
    this.#buffered = this.#buffered.subarray(taken);
    this.#position = { segment: this.#position.segment, offset: this.#position.offset + taken };
    return taken > 0;
  }

  async #fill(unread: number): Promise<void> {
    const at = this.#position.offset + this.#buffered.length;
    // Grows with what is buffered, so that a frame larger than a chunk takes a few reads and not hundreds.
    const chunk = Buffer.allocUnsafe(Math.min(unread, Math.max(CHUNK_BYTES, this.#buffered.length)));
    const handle = await open(segmentPath(this.#options.folder, this.#position.segment), 'r');
    try {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw new JournalTruncatedError(this.#position.segment, at);
      this.#buffered = Buffer.concat([this.#buffered, chunk.subarray(0, bytesRead)]);
    } finally {
      await handle.close();
    }
  }

  #enter(position: Position): void {
    this.#position = position;
    this.#buffered = Buffer.alloc(0);
  }
}

/** Frames in their order: of rows as records, of columns as they are until all are taken. */
class TakenFrames {
  readonly #frames: (string[] | Buffer)[] = [];
  rows = 0;
  #bytes = 0;

  /** Whether they are as many as a batch may hold. */
  fill(count: number): boolean {
    return this.rows >= count || this.#bytes >= BATCH_BYTES;
  }

  addRows(records: string[], bytes: number): void {
    this.#frames.push(records);
    this.rows += records.length;
    this.#bytes += bytes;
  }

  addColumns(frame: Buffer): void {
    this.#frames.push(frame);
    this.rows += columnsRows(frame);
    this.#bytes += frame.length;
  }

  async records(): Promise<string[]> {
    const records: string[] = [];
    for (const frame of this.#frames) {
      records.push(...(Array.isArray(frame) ? frame : await expandInTurns(frame)));
    }
    return records;
  }
}
