import { RecordTooLargeError } from '../errors.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_PAYLOAD, MAX_FRAME_RECORDS, sealFrame } from './frame.ts';

/** Payload after which a frame is closed, so that damage costs little. */
const FRAME_PAYLOAD_TARGET = 1024 * 1024;
/** Largest single record: a frame that holds it behind others stays within the frame's limit. */
export const MAX_RECORD_BYTES = MAX_FRAME_PAYLOAD - FRAME_PAYLOAD_TARGET;
const SMALLEST_BUFFER = 64 * 1024;
/** A buffer that had to grow beyond this is not kept for the next group: one large request must not hold its memory for ever. */
const LARGEST_KEPT_BUFFER = 4 * 1024 * 1024;
/** Above this length a text's exact size is worth computing before room is made for it. */
const LONG_TEXT = 16 * 1024;
/** UTF-8 takes at most 3 bytes for one UTF-16 code unit. */
const MOST_BYTES_PER_UNIT = 3;

/** Whole frames, one behind the other, as `Journal.appendFrames` takes them. */
export interface EncodedFrames {
  readonly bytes: Buffer;
  /** Records in them. */
  readonly rows: number;
}

/** Gathers records as whole frames, one behind the other. */
export class FrameBuffer {
  records = 0;
  #buffer: Buffer;
  #length = 0;

  /** @param spare - an earlier one's buffer, to be filled again */
  constructor(spare: Buffer | null = null) {
    this.#buffer = spare ?? Buffer.allocUnsafeSlow(SMALLEST_BUFFER);
  }

  /** Bytes to write. */
  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The buffer, once the group is written, for a later group; null when it grew too large to be kept. */
  get spare(): Buffer | null {
    return this.#buffer.length > LARGEST_KEPT_BUFFER ? null : this.#buffer;
  }

  /**
   * Adds records as frames; all of them or, when it throws, none.
   * @throws RecordTooLargeError
   */
  add(records: readonly string[]): void {
    const before = this.#length;
    try {
      for (let start = 0; start < records.length;) start += this.#addFrame(records, start);
    } catch (error) {
      this.#length = before;
      throw error;
    }
    this.records += records.length;
  }

  /** Adds whole frames of so many records. */
  addFrames(frames: Buffer, records: number): void {
    this.#reserve(this.#length + frames.length);
    this.#length += frames.copy(this.#buffer, this.#length);
    this.records += records;
  }

  /** Adds one frame that begins with the given record; answers how many records it took. */
  #addFrame(records: readonly string[], first: number): number {
    const start = this.#length;
    const payloadStart = start + FRAME_HEADER_BYTES;
    let end = payloadStart;
    let taken = 0;
    while (
      first + taken < records.length &&
      taken < MAX_FRAME_RECORDS &&
      end - payloadStart < FRAME_PAYLOAD_TARGET
    ) {
      const text = records[first + taken] ?? '';
      this.#reserve(end + 1 + sizeBound(text));
      if (taken > 0) this.#buffer[end++] = 0x0a;
      end += this.#buffer.write(text, end, 'utf8');
      taken++;
    }
    sealFrame(this.#buffer, start, end - payloadStart);
    this.#length = end;
    return taken;
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(capacity, this.#buffer.length * 2));
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }
}

/** At least as many bytes as the text takes. */
function sizeBound(text: string): number {
  if (text.length <= LONG_TEXT) return text.length * MOST_BYTES_PER_UNIT;
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > MAX_RECORD_BYTES) throw new RecordTooLargeError(bytes, MAX_RECORD_BYTES);
  return bytes;
}
