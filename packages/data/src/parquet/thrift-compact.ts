/**
 * Thrift's compact protocol, as far as the footer of a Parquet file needs it: values are kept as they came, known or not, so that what is written back lacks nothing.
 *
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export type ThriftValue = boolean | bigint | Uint8Array | ThriftList | ThriftStruct;

export interface ThriftField {
  id: number;
  type: number;
  value: ThriftValue;
}

/** The fields of a struct, in the order of their ids. */
export interface ThriftStruct {
  fields: ThriftField[];
}

export interface ThriftList {
  /** Type of the elements. */
  of: number;
  items: ThriftValue[];
}

export const THRIFT = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const;

/** A footer nests seven deep. */
const DEEPEST = 32;

/** Sizes of 15 and more stand behind the byte that a list begins with. */
const LONG_LIST = 15;

/** @throws RangeError where the bytes end too early or hold what no footer does */
export function readStruct(bytes: Uint8Array): ThriftStruct {
  return new Reader(bytes).struct(0);
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  struct(depth: number): ThriftStruct {
    if (depth > DEEPEST) throw new RangeError('nested too deep');
    const fields: ThriftField[] = [];
    let id = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) return { fields };
      const type = head & 15;
      id = head >> 4 === 0 ? Number(this.#integer()) : id + (head >> 4);
      fields.push({
        id,
        type,
        value: type <= THRIFT.false ? type === THRIFT.true : this.#value(type, depth),
      });
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case THRIFT.true:
      case THRIFT.false:
        return this.#byte() === THRIFT.true;
      case THRIFT.i8:
        return BigInt(this.#byte());
      case THRIFT.i16:
      case THRIFT.i32:
      case THRIFT.i64:
        return this.#integer();
      case THRIFT.double:
        return this.#take(8);
      case THRIFT.binary:
        return this.#take(Number(this.#unsigned()));
      case THRIFT.list:
      case THRIFT.set:
        return this.#list(depth);
      case THRIFT.struct:
        return this.struct(depth + 1);
      default:
        throw new RangeError(`type ${type}`);
    }
  }

  #list(depth: number): ThriftList {
    const head = this.#byte();
    const of = head & 15;
    const size = head >> 4 === LONG_LIST ? Number(this.#unsigned()) : head >> 4;
    const items: ThriftValue[] = [];
    while (items.length < size) items.push(this.#value(of, depth + 1));
    return { of, items };
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError('ends too early');
    return byte;
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new RangeError('ends too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #unsigned(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
      if (shift > 63n) throw new RangeError('an integer of more than 64 bits');
    }
  }

  #integer(): bigint {
    const value = this.#unsigned();
    return (value >> 1n) ^ -(value & 1n);
  }
}

/** A struct that was written before may stand in another's list as its bytes. */
export function writeStruct(struct: ThriftStruct): Uint8Array {
  const bytes: number[] = [];
  addStruct(bytes, struct);
  return Uint8Array.from(bytes);
}

function addStruct(bytes: number[], { fields }: ThriftStruct): void {
  let last = 0;
  for (const { id, type, value } of fields) {
    const written = typeof value === 'boolean' ? (value ? THRIFT.true : THRIFT.false) : type;
    const step = id - last;
    if (step > 0 && step < 16) bytes.push((step << 4) | written);
    else {
      bytes.push(written);
      addInteger(bytes, BigInt(id));
    }
    if (typeof value !== 'boolean') addValue(bytes, type, value);
    last = id;
  }
  bytes.push(0);
}

function addValue(bytes: number[], type: number, value: ThriftValue): void {
  if (typeof value === 'boolean') bytes.push(value ? THRIFT.true : THRIFT.false);
  else if (typeof value === 'bigint') {
    if (type === THRIFT.i8) bytes.push(Number(value));
    else addInteger(bytes, value);
  } else if (value instanceof Uint8Array) {
    if (type === THRIFT.binary) addUnsigned(bytes, BigInt(value.length));
    for (const byte of value) bytes.push(byte);
  } else if ('fields' in value) addStruct(bytes, value);
  else {
    addListHead(bytes, value.of, value.items.length);
    for (const item of value.items) addValue(bytes, value.of, item);
  }
}

function addListHead(bytes: number[], of: number, size: number): void {
  if (size < LONG_LIST) bytes.push((size << 4) | of);
  else {
    bytes.push((LONG_LIST << 4) | of);
    addUnsigned(bytes, BigInt(size));
  }
}

function addUnsigned(bytes: number[], value: bigint): void {
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
}

function addInteger(bytes: number[], value: bigint): void {
  addUnsigned(bytes, BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}
