import { THRIFT, writeStruct, type ThriftField, type ThriftStruct } from './thrift-compact.ts';

/** Physical types and encodings. Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
const BOOLEAN = 0n;
const FLOAT = 4n;
const REQUIRED = 0n;
const PLAIN = 0n;
const RLE = 3n;
const DATA_PAGE = 0n;
const UNCOMPRESSED = 0n;

/** 0.5 MB of floats; a multiple of eight, so that each page of booleans begins with a byte. */
const PAGE_ROWS = 131_072;

/** A column without missing values: numbers, or ones and zeros. */
export interface PlainColumn {
  name: string;
  values: Float32Array | Uint8Array;
}

const i32 = (id: number, value: bigint): ThriftField => ({ id, type: THRIFT.i32, value });
const i64 = (id: number, value: number): ThriftField => ({ id, type: THRIFT.i64, value: BigInt(value) });
const binary = (id: number, value: Uint8Array): ThriftField => ({ id, type: THRIFT.binary, value });
const struct = (id: number, fields: ThriftField[]): ThriftField => ({
  id,
  type: THRIFT.struct,
  value: { fields },
});
const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const typeOf = (values: PlainColumn['values']): bigint => (values instanceof Float32Array ? FLOAT : BOOLEAN);

/** How a file's schema declares the column. */
export function schemaElement({ name, values }: PlainColumn): ThriftStruct {
  return { fields: [i32(1, typeOf(values)), i32(3, REQUIRED), binary(4, textBytes(name))] };
}

/** The pages of some rows of the column, uncompressed: zstd saves 14 to 17 % of probabilities. */
export function plainPages({ values }: PlainColumn): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let start = 0; start < values.length; start += PAGE_ROWS) {
    const part = values.subarray(start, start + PAGE_ROWS);
    const data =
      part instanceof Float32Array
        ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
        : packedBits(part);
    pages.push(pageHeader(part.length, data.length), data);
  }
  return pages;
}

function pageHeader(rows: number, size: number): Uint8Array {
  const data = [i32(1, BigInt(rows)), i32(2, PLAIN), i32(3, RLE), i32(4, RLE)];
  return writeStruct({
    fields: [i32(1, DATA_PAGE), i32(2, BigInt(size)), i32(3, BigInt(size)), struct(5, data)],
  });
}

function packedBits(values: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  for (let row = 0; row < values.length; row += 1) if (values[row] !== 0) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

/** What a row group says of the column, whose pages begin at `offset` and take so many bytes. */
export function columnChunk(
  column: PlainColumn,
  { offset, bytes }: { offset: number; bytes: number },
): ThriftStruct {
  const { name, values } = column;
  const metadata = [
    i32(1, typeOf(values)),
    { id: 2, type: THRIFT.list, value: { of: THRIFT.i32, items: [PLAIN, RLE] } },
    { id: 3, type: THRIFT.list, value: { of: THRIFT.binary, items: [textBytes(name)] } },
    i32(4, UNCOMPRESSED),
    ...[i64(5, values.length), i64(6, bytes), i64(7, bytes), i64(9, offset)],
    struct(12, statistics(values)),
  ];
  return { fields: [i64(2, 0), struct(3, metadata)] };
}

function statistics(values: PlainColumn['values']): ThriftField[] {
  const noneMissing = i64(3, 0);
  const bounds = values instanceof Float32Array ? boundsOf(values) : undefined;
  if (bounds === undefined) return [noneMissing];
  const { least, most } = bounds;
  // Zero may be either: the bounds take in both.
  return [
    noneMissing,
    binary(5, floatBytes(most === 0 ? 0 : most)),
    binary(6, floatBytes(least === 0 ? -0 : least)),
  ];
}

/** Undefined where a value is no number: nothing may be said of such a column. */
function boundsOf(values: Float32Array): { least: number; most: number } | undefined {
  let [least, most] = [Infinity, -Infinity];
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row]!;
    if (value !== value) return undefined;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

function floatBytes(value: number): Uint8Array {
  return new Uint8Array(Float32Array.of(value).buffer);
}
