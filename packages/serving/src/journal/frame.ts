import { crc32 } from 'node:zlib';

/**
 * The journal is a row of frames. All numbers are little endian; sums are CRC-32 (ISO-HDLC, as in zlib).
 *
 * A frame of rows holds up to {@link MAX_FRAME_RECORDS} records:
 *
 * | bytes | what                                                |
 * | ----- | --------------------------------------------------- |
 * | 1     | the marker, 0xFF                                    |
 * | 4     | sum of all that follows                             |
 * | 4     | length of the payload in bytes                      |
 * | n     | payload: records as JSON texts, separated by line feeds |
 *
 * A frame of columns holds the predictions of one request, or a part of them (see `column-layout.ts`):
 *
 * | bytes | what                                                |
 * | ----- | --------------------------------------------------- |
 * | 1     | the marker, 0xFE                                    |
 * | 4     | sum of the length and the payload                   |
 * | 4     | length of the payload in bytes                      |
 * | 4     | sum of the eight bytes before                       |
 * | n     | payload                                             |
 *
 * UTF-8 contains neither marker, so after damage among rows the next frame is found by looking for a marker and checking the sum behind it.
 * Columns are bytes that a caller chose, and might hold what looks like a frame. Their header therefore has a sum of its own: where it is right the
 * length is believed, and nothing inside such a frame is ever taken for another one, torn and damaged frames included.
 */
export const ROWS_MARKER = 0xff;
export const COLUMNS_MARKER = 0xfe;
export const FRAME_HEADER_BYTES = 9;
export const COLUMNS_HEADER_BYTES = 13;

/** A length above this is damage, not a frame. Request bodies are limited far below it. */
export const MAX_FRAME_PAYLOAD = 32 * 1024 * 1024;
/** Small enough that a batch of about 1,000 rows can be made of whole frames. */
export const MAX_FRAME_RECORDS = 256;

const LENGTH_AT = 5;
const LENGTH_END = 9;

/** Writes the header of the frame of rows whose payload already lies behind it. */
export function sealFrame(buffer: Buffer, start: number, payloadBytes: number): void {
  buffer[start] = ROWS_MARKER;
  buffer.writeUInt32LE(payloadBytes, start + LENGTH_AT);
  const end = start + FRAME_HEADER_BYTES + payloadBytes;
  buffer.writeUInt32LE(crc32(buffer.subarray(start + LENGTH_AT, end)), start + 1);
}

/** Writes the header of the frame of columns whose payload already lies behind it. */
export function sealColumns(buffer: Buffer, start: number, payloadBytes: number): void {
  const payload = start + COLUMNS_HEADER_BYTES;
  buffer[start] = COLUMNS_MARKER;
  buffer.writeUInt32LE(payloadBytes, start + LENGTH_AT);
  buffer.writeUInt32LE(columnsSum(buffer, start, payload + payloadBytes), start + 1);
  buffer.writeUInt32LE(crc32(buffer.subarray(start + 1, start + LENGTH_END)), start + LENGTH_END);
}

function columnsSum(buffer: Buffer, start: number, end: number): number {
  const length = crc32(buffer.subarray(start + LENGTH_AT, start + LENGTH_END));
  return crc32(buffer.subarray(start + COLUMNS_HEADER_BYTES, end), length);
}

/** A stretch of the buffer: a frame of rows or columns, or damage. */
export interface Stretch {
  kind: 'rows' | 'columns' | 'damage';
  start: number;
  end: number;
}

/** What begins at a place: a stretch, or `incomplete` when the buffer ends before it does (`sure`: a frame of columns begins there), or nothing. */
type Found = Stretch | 'incomplete' | 'surely-incomplete' | 'nothing';

function lookAt(buffer: Buffer, start: number): Found {
  if (buffer[start] === ROWS_MARKER) return lookAtRows(buffer, start);
  return buffer[start] === COLUMNS_MARKER ? lookAtColumns(buffer, start) : 'nothing';
}

function lookAtRows(buffer: Buffer, start: number): Found {
  if (start + FRAME_HEADER_BYTES > buffer.length) return 'incomplete';
  const payloadBytes = buffer.readUInt32LE(start + LENGTH_AT);
  if (payloadBytes > MAX_FRAME_PAYLOAD) return 'nothing';
  const end = start + FRAME_HEADER_BYTES + payloadBytes;
  if (end > buffer.length) return 'incomplete';
  const sum = crc32(buffer.subarray(start + LENGTH_AT, end));
  return sum === buffer.readUInt32LE(start + 1) ? { kind: 'rows', start, end } : 'nothing';
}

function lookAtColumns(buffer: Buffer, start: number): Found {
  if (start + COLUMNS_HEADER_BYTES > buffer.length) return 'incomplete';
  const header = crc32(buffer.subarray(start + 1, start + LENGTH_END));
  if (header !== buffer.readUInt32LE(start + LENGTH_END)) return 'nothing';
  const end = start + COLUMNS_HEADER_BYTES + buffer.readUInt32LE(start + LENGTH_AT);
  if (end > buffer.length) return 'surely-incomplete';
  const whole = columnsSum(buffer, start, end) === buffer.readUInt32LE(start + 1);
  return { kind: whole ? 'columns' : 'damage', start, end };
}

/** The records of a frame of rows, as JSON texts. */
export function frameRecords(buffer: Buffer, start: number, end: number): string[] {
  return buffer.toString('utf8', start + FRAME_HEADER_BYTES, end).split('\n');
}

/**
 * Walks the frames of a piece of a segment. Stops before a frame that the piece holds only the beginning of; when the piece is the
 * segment's last (`final`), the beginning of what may be a frame of rows is searched for later frames like any damage. What is left at the end is
 * the torn tail, which is not among the stretches.
 */
export function* walkFrames(buffer: Buffer, final: boolean): Generator<Stretch> {
  let start = 0;
  while (start < buffer.length) {
    const found = lookAt(buffer, start);
    if (typeof found === 'object') {
      yield found;
      start = found.end;
      continue;
    }
    if (found === 'surely-incomplete' || (found === 'incomplete' && !final)) return;
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
  for (let at = from; at < buffer.length; at++) {
    if ((buffer[at] ?? 0) < COLUMNS_MARKER) continue;
    const found = lookAt(buffer, at);
    if (found === 'nothing' || (found === 'incomplete' && final)) continue;
    if (found === 'surely-incomplete' && final) return undefined;
    return at;
  }
  return final ? undefined : buffer.length;
}
