import { MISSING_TIMESTAMP, type ColumnType, type InputColumn } from '@perennial/contract';
import type { RawColumn } from '@perennial/onnx';
import { TIMESTAMP_FORMS, timestampMilliseconds } from './timestamp.ts';

/** Longest text one value may be, in UTF-16 code units. */
export const MAX_TEXT_LENGTH = 10_000;

/**
 * NUL and unpaired surrogates: neither can be stored in the database's `jsonb`, so a record that held one could never be shipped, and
 * everything behind it in the journal would wait.
 */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Whether a text is free of NUL and unpaired surrogates, and so can be put on record. */
export function isStorableText(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/** Reads the values of one column type into the tensor type that the contract gives it. */
interface ValueReader<Column extends RawColumn> {
  /** A column of that many rows, every row of which `read` will fill. */
  allocate(rows: number): Column;
  /** Puts a value into a row; false when the value is not allowed. */
  read(this: void, column: Column, row: number, value: unknown): boolean;
  /** Why a value that `read` refused is not allowed: continues the sentence that begins with its path. */
  refusal(value: unknown): string;
}

/** Reads one raw column out of instances. */
export interface ColumnReader extends ValueReader<RawColumn> {
  readonly name: string;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return Number.isFinite(value) ? 'a number' : String(value);
    case 'boolean':
      return 'a boolean';
    case 'object':
      return 'an object';
    case 'undefined':
      return 'undefined';
    case 'function':
    case 'symbol':
    case 'bigint':
      return `a ${typeof value}`;
  }
}

function readNumber(column: Float64Array, row: number, value: unknown): boolean {
  if (typeof value === 'number' && Number.isFinite(value)) column[row] = value;
  else if (value === null) column[row] = NaN;
  else return false;
  return true;
}

function readBoolean(column: Float64Array, row: number, value: unknown): boolean {
  if (value === true) column[row] = 1;
  else if (value === false) column[row] = 0;
  else if (value === null) column[row] = NaN;
  else return false;
  return true;
}

function readText(column: string[], row: number, value: unknown): boolean {
  if (typeof value === 'string' && value.length <= MAX_TEXT_LENGTH && isStorableText(value))
    column[row] = value;
  else if (value === null) column[row] = '';
  else return false;
  return true;
}

function readTimestamp(column: BigInt64Array, row: number, value: unknown): boolean {
  if (value === null) {
    column[row] = MISSING_TIMESTAMP;
    return true;
  }
  const milliseconds = timestampMilliseconds(value);
  if (milliseconds === undefined) return false;
  column[row] = BigInt(milliseconds);
  return true;
}

function refuseText(value: unknown): string {
  if (typeof value !== 'string') return `must be text or null, not ${typeOf(value)}`;
  if (value.length > MAX_TEXT_LENGTH) {
    return `must be text of at most ${MAX_TEXT_LENGTH} characters, not ${value.length}`;
  }
  return 'must be text without NUL characters and unpaired surrogates';
}

function refuseTimestamp(value: unknown): string {
  if (typeof value === 'string') return `must be ${TIMESTAMP_FORMS}, or null; this text is neither`;
  if (typeof value === 'number')
    return `must be ${TIMESTAMP_FORMS}, or null; this number is not such a count`;
  return `must be ${TIMESTAMP_FORMS}, or null; not ${typeOf(value)}`;
}

const NUMBER: ValueReader<Float64Array> = {
  allocate: (rows) => new Float64Array(rows),
  read: readNumber,
  refusal: (value) => `must be a finite number or null, not ${typeOf(value)}`,
};
const BOOLEAN: ValueReader<Float64Array> = {
  allocate: (rows) => new Float64Array(rows),
  read: readBoolean,
  refusal: (value) => `must be true, false or null, not ${typeOf(value)}`,
};
const TEXT: ValueReader<string[]> = {
  allocate: (rows) => new Array<string>(rows),
  read: readText,
  refusal: refuseText,
};
const TIMESTAMP: ValueReader<BigInt64Array> = {
  allocate: (rows) => new BigInt64Array(rows),
  read: readTimestamp,
  refusal: refuseTimestamp,
};

// Method parameters are compared bivariantly, so each fits ValueReader<RawColumn>; a reader only ever fills columns it allocated.
const READERS: Record<ColumnType, ValueReader<RawColumn>> = {
  number: NUMBER,
  boolean: BOOLEAN,
  text: TEXT,
  timestamp: TIMESTAMP,
};

/** The reader of a raw column, by its type. */
export function columnReader(column: InputColumn): ColumnReader {
  return { name: column.name, ...READERS[column.type] };
}
