import { ModelRefusedError } from '../errors.ts';

/** Encodings of a field's value: https://protobuf.dev/programming-guides/encoding/ */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;
export type Wire = typeof VARINT | typeof FIXED64 | typeof BYTES | typeof FIXED32;

/** A varint has at most ten bytes: 64 bits in groups of seven. */
const LONGEST_VARINT = 10;

const LARGEST_FIELD = 0x1fff_ffff;

/** Bytes of a file: where a value of variable length lies. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Walks over a protobuf message without making anything of it: no field costs more memory than the reader itself. It is stricter than a parser: a length
 * beyond the message, a group, a field of number 0 and a varint without an end are errors.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  readonly #end: number;
  #position: number;
  #field = 0;
  #wire: Wire = VARINT;

  constructor(bytes: Uint8Array, span: Span = { start: 0, end: bytes.length }) {
    this.bytes = bytes;
    this.#position = span.start;
    this.#end = span.end;
  }

  /** Number of the field that {@link next} came to. */
  get field(): number {
    return this.#field;
  }

  get wire(): Wire {
    return this.#wire;
  }

  /** Goes to the next field, the last one's value having been read or skipped; false at the message's end. */
  next(): boolean {
    if (this.#position === this.#end) return false;
    const tag = this.#smallVarint();
    this.#field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (this.#field < 1 || this.#field > LARGEST_FIELD)
      throw malformed(`a field has the number ${this.#field}`);
    if (wire !== VARINT && wire !== FIXED64 && wire !== BYTES && wire !== FIXED32)
      throw malformed(`a field is of the wire type ${wire}`);
    this.#wire = wire;
    return true;
  }

  /** The value of a varint, without a sign. */
  varint(): bigint {
    const start = this.#position;
    this.#skipVarint();
    let value = 0n;
    for (let i = this.#position - 1; i >= start; i -= 1)
      value = (value << 7n) | BigInt((this.bytes[i] ?? 0) & 0x7f);
    return BigInt.asUintN(64, value);
  }

  /** An int64: negative ones are written as the varint of their two's complement. */
  int64(): bigint {
    return BigInt.asIntN(64, this.varint());
  }

  /** Where the value of a field of variable length lies; the reader goes behind it. */
  span(): Span {
    const length = this.#smallVarint();
    if (length > this.#end - this.#position) throw malformed('a length reaches beyond its message');
    const start = this.#position;
    this.#position += length;
    return { start, end: this.#position };
  }

  skip(): void {
    switch (this.#wire) {
      case VARINT:
        return this.#skipVarint();
      case BYTES:
        this.span();
        return;
      case FIXED32:
        return this.#skipBytes(4);
      case FIXED64:
        return this.#skipBytes(8);
    }
  }

  /** How many varints lie in the value of a packed field. */
  countVarints(): number {
    const { start, end } = this.span();
    let count = 0;
    for (let i = start; i < end; i += 1) if ((this.bytes[i] ?? 0) < 0x80) count += 1;
    if (end > start && (this.bytes[end - 1] ?? 0) >= 0x80) throw malformed('a number does not end');
    return count;
  }

  /** A tag or length. Not by `varint`: a boosted ensemble has millions of tags, and BigInts cost ten times as much. */
  #smallVarint(): number {
    const start = this.#position;
    this.#skipVarint();
    let value = 0;
    for (let i = this.#position - 1; i >= start; i -= 1) value = value * 128 + ((this.bytes[i] ?? 0) & 0x7f);
    return value;
  }

  #skipVarint(): void {
    for (let length = 0; length < LONGEST_VARINT; length += 1) {
      if (this.#position === this.#end) break;
      const byte = this.bytes[this.#position] ?? 0;
      this.#position += 1;
      if (byte < 0x80) return;
    }
    throw malformed('a number does not end');
  }

  #skipBytes(count: number): void {
    if (this.#end - this.#position < count) throw malformed('it ends within a number');
    this.#position += count;
  }
}

export function malformed(what: string): ModelRefusedError {
  return new ModelRefusedError(
    `its bytes are not an ONNX file, or one that was cut off or damaged (${what})`,
  );
}
