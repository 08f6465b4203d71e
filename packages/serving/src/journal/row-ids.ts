import type { IdGenerator } from '@perennial/contract';

const ID_BYTES = 16;
const TAIL_AT = 28;
const LOWER_HALF = 0x7fff_ffff;

/**
 * An id from which those of up to 2^31 rows are counted, so that a request of many rows takes one id from the generator and not thousands: its last
 * 32 bits leave room for the count. What is random in it (73 of 74 bits) stays, so ids of different servers are as good as never the same.
 */
export function baseId(ids: Pick<IdGenerator, 'next'>): string {
  const id = ids.next();
  const tail = Number.parseInt(id.slice(TAIL_AT), 16) & LOWER_HALF;
  return id.slice(0, TAIL_AT) + hex(tail);
}

/** The id of a row: as UUIDv7 it sorts behind those of the rows before. */
export function rowId(base: string, row: number): string {
  return row === 0 ? base : base.slice(0, TAIL_AT) + hex(Number.parseInt(base.slice(TAIL_AT), 16) + row);
}

function hex(tail: number): string {
  return tail.toString(16).padStart(8, '0');
}

/** Ids as 16 bytes each. */
export function packIds(ids: readonly string[]): Uint8Array {
  const packed = Buffer.allocUnsafe(ids.length * ID_BYTES);
  ids.forEach((id, row) => packed.write(id.replaceAll('-', ''), row * ID_BYTES, 'hex'));
  return packed;
}

/** The id at a row of packed ones. */
export function unpackId(packed: Uint8Array, row: number): string {
  const text = Buffer.from(packed.buffer, packed.byteOffset + row * ID_BYTES, ID_BYTES).toString('hex');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}
