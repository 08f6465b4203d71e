import { crc32 } from 'node:zlib';

/**
 * A frame is what the journal writes for up to {@link MAX_FRAME_RECORDS} records:
 *
 * | bytes | what                                                            |
 * | ----- | --------------------------------------------------------------- |
 * | 1     | the marker, 0xFF                                                |
 * | 4     | CRC-32 (ISO-HDLC, as in zlib) of all that follows, little endian |
 * | 4     | length of the payload in bytes, little endian                   |
 * | n     | payload: records as JSON texts, separated by line feeds         |
 *
 * UTF-8 never contains 0xFF, so after damage the next frame is found by looking for the marker and checking the sum behind it.
 */
export const FRAME_MARKER = 0xff;
export const FRAME_HEADER_BYTES = 9;

/** A length above this is damage, not a frame. Request bodies are limited far below it. */
export const MAX_FRAME_PAYLOAD = 32 * 1024 * 1024;
/** Small enough that a batch of about 1,000 rows can be made of whole frames. */
export const MAX_FRAME_RECORDS = 256;

const CHECKED_FROM = 5;

/** Writes the header of the frame whose payload already lies behind it. */
export function sealFrame(buffer: Buffer, start: number, payloadBytes: number): void {
  buffer[start] = FRAME_MARKER;
  buffer.writeUInt32LE(payloadBytes, start + CHECKED_FROM);
  const end = start + FRAME_HEADER_BYTES + payloadBytes;
  buffer.writeUInt32LE(crc32(buffer.subarray(start + CHECKED_FROM, end)), start + 1);
}

/** The end of the frame that begins at `start`; `incomplete` when the buffer ends before it does, `damaged` when there is no such frame. */
export function frameEnd(buffer: Buffer, start: number): number | 'incomplete' | 'damaged' {
  if (buffer[start] !== FRAME_MARKER) return 'damaged';
  if (start + FRAME_HEADER_BYTES > buffer.length) return 'incomplete';
  const payloadBytes = buffer.readUInt32LE(start + CHECKED_FROM);
  if (payloadBytes > MAX_FRAME_PAYLOAD) return 'damaged';
  const end = start + FRAME_HEADER_BYTES + payloadBytes;
  if (end > buffer.length) return 'incomplete';
  const sum = crc32(buffer.subarray(start + CHECKED_FROM, end));
  return sum === buffer.readUInt32LE(start + 1) ? end : 'damaged';
}

/** The records of a frame, as JSON texts. */
export function frameRecords(buffer: Buffer, start: number, end: number): string[] {
  return buffer.toString('utf8', start + FRAME_HEADER_BYTES, end).split('\n');
}

/** A stretch of the buffer: a frame, or damage between frames. */
export interface Stretch {
  kind: 'frame' | 'damage';
  start: number;
  end: number;
}

/**
 * Walks the frames of a piece of a segment. Stops before a frame that the piece holds only the beginning of; when the piece is the
 * segment's last (`final`), such a beginning is searched for later frames like any damage, and what is left at the end is the torn tail,
 * which is not among the stretches.
 */
export function* walkFrames(buffer: Buffer, final: boolean): Generator<Stretch> {
  let start = 0;
  while (start < buffer.length) {
    const end = frameEnd(buffer, start);
    if (typeof end === 'number') {
      yield { kind: 'frame', start, end };
      start = end;
      continue;
    }
    if (end === 'incomplete' && !final) return;
    const next = findFrame(buffer, start + 1, final);
    if (next === undefined) return;
    yield { kind: 'damage', start, end: next };
    start = next;
  }
}

/**
 * The next place at or after `from` where a frame begins, or may begin (in a piece that is not the last). Undefined when there is none;
 * in a piece that is not the last the end of the buffer counts as a place, since the next piece may begin with a frame.
 */
function findFrame(buffer: Buffer, from: number, final: boolean): number | undefined {
  for (let at = buffer.indexOf(FRAME_MARKER, from); at !== -1; at = buffer.indexOf(FRAME_MARKER, at + 1)) {
    const end = frameEnd(buffer, at);
    if (typeof end === 'number' || (end === 'incomplete' && !final)) return at;
  }
  return final ? undefined : buffer.length;
}
