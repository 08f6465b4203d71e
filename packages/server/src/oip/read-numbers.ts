import { InvalidRequestError, MISSING_TIMESTAMP } from '@perennial/contract';
import { parseTimestamp } from '@perennial/serving';
import { INTEGER_RANGE, decodeHalf, viewElements, type Datatype } from './datatypes.ts';
import type { InputTensor } from './infer-request.ts';
import { textsOf } from './read-texts.ts';

const refuse = (message: string) => new InvalidRequestError(message);
const refuseRow = ({ name }: InputTensor, row: number, what: string) =>
  refuse(`Row ${row} of the tensor '${name}' ${what}.`);

const LARGEST_EXACT = BigInt(Number.MAX_SAFE_INTEGER);
const NOT_EXACT = 'is a whole number beyond 2^53, which a model does not take exactly: send FP64';

/**
 * A number column: every type of number, as float64, which holds them all exactly but 64-bit integers beyond 2^53; those are refused. NaN is missing, and so is null in JSON; infinities
 * are refused.
 * @throws InvalidRequestError
 */
export function numberColumn(tensor: InputTensor): Float64Array {
  const { name, datatype, data } = tensor;
  if (datatype === 'BOOL' || datatype === 'BYTES')
    throw refuse(
      `The tensor '${name}' is a number and must be FP64, FP32, FP16 or an integer type, not ${datatype}.`,
    );
  const column = 'bytes' in data ? numbersOfBytes(tensor, data.bytes) : numbersOfJson(tensor, data.json);
  // x - x is 0 for finite numbers alone, and a sum costs a fifth of two comparisons for each: only where something is missing or infinite is it looked at which.
  let sum = 0;
  for (let row = 0; row < column.length; row++) sum += (column[row] as number) - (column[row] as number);
  if (sum !== 0) refuseInfinite(tensor, column);
  return column;
}

function refuseInfinite(tensor: InputTensor, column: Float64Array): void {
  const row = column.findIndex((value) => value === Infinity || value === -Infinity);
  if (row !== -1) throw refuseRow(tensor, row, 'is infinite: it must be finite, or NaN where it is missing');
}

function numbersOfBytes(tensor: InputTensor, bytes: Uint8Array): Float64Array {
  const datatype = tensor.datatype as Exclude<Datatype, 'BYTES'>;
  const elements = viewElements(datatype, bytes);
  if (elements instanceof Float64Array) return elements;
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array)
    return Float64Array.from(elements, (value, row) => exact(tensor, value, row));
  const column = new Float64Array(elements.length);
  if (datatype !== 'FP16') column.set(elements);
  else for (let row = 0; row < column.length; row++) column[row] = decodeHalf(elements[row] as number);
  return column;
}

function exact(tensor: InputTensor, value: bigint, row: number): number {
  if (value > LARGEST_EXACT || value < -LARGEST_EXACT) throw refuseRow(tensor, row, NOT_EXACT);
  return Number(value);
}

function numbersOfJson(tensor: InputTensor, json: readonly unknown[]): Float64Array {
  const { name, datatype } = tensor;
  if (datatype === 'FP16') throw refuse(`The tensor '${name}' is FP16, which is taken as bytes only.`);
  const column = new Float64Array(json.length);
  const whole = INTEGER_RANGE[datatype] !== undefined;
  for (let row = 0; row < json.length; row++) {
    const value = json[row];
    if (value === null) column[row] = NaN;
    else if (whole) column[row] = exact(tensor, wholeNumber(tensor, value, row), row);
    else column[row] = floatOf(tensor, value, row);
  }
  return column;
}

function floatOf(tensor: InputTensor, value: unknown, row: number): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number') throw refuseRow(tensor, row, 'must be a number or null');
  // As the bytes of the same tensor would have it, which have no more digits.
  return tensor.datatype === 'FP32' ? Math.fround(number) : number;
}

/** A whole number of JSON, in its type's range. */
function wholeNumber(tensor: InputTensor, value: unknown, row: number): bigint {
  const range = INTEGER_RANGE[tensor.datatype];
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value))
    throw refuseRow(tensor, row, `must be a whole number or null, as ${tensor.datatype} has them`);
  const whole = BigInt(value as number | bigint);
  if (range === undefined || whole < range[0] || whole > range[1])
    throw refuseRow(tensor, row, `is out of the range of ${tensor.datatype}`);
  return whole;
}

/** The numbers of a tensor of any integer type, with every digit. @throws InvalidRequestError */
export function wholeNumbers(tensor: InputTensor): (bigint | number)[] {
  const { name, datatype, data } = tensor;
  if (INTEGER_RANGE[datatype] === undefined)
    throw refuse(`The tensor '${name}' must be BYTES or an integer type, not ${datatype}.`);
  if ('json' in data) return data.json.map((value, row) => wholeNumber(tensor, value, row));
  return Array.from(
    viewElements(datatype as Exclude<Datatype, 'BYTES'>, data.bytes) as Iterable<bigint | number>,
  );
}

/**
 * A boolean column: BOOL, in which nothing can be missing but by null in JSON; or FP32 and FP64 of 0, 1, and NaN for what is missing.
 * @throws InvalidRequestError
 */
export function booleanColumn(tensor: InputTensor): Float64Array {
  const { name, datatype, data } = tensor;
  if (datatype === 'BOOL' && 'json' in data)
    return Float64Array.from(data.json, (value, row) => booleanOf(tensor, value, row));
  if (datatype !== 'BOOL' && datatype !== 'FP32' && datatype !== 'FP64')
    throw refuse(
      `The tensor '${name}' is a boolean and must be BOOL, or FP32 or FP64 of 0, 1 and NaN, not ${datatype}.`,
    );
  const column =
    'bytes' in data
      ? Float64Array.from(viewElements(datatype, data.bytes) as Uint8Array | Float32Array | Float64Array)
      : numbersOfJson(tensor, data.json);
  const wrong = column.findIndex((value) => value !== 0 && value !== 1 && !Number.isNaN(value));
  if (wrong !== -1) throw refuseRow(tensor, wrong, 'must be 0 or 1');
  return column;
}

function booleanOf(tensor: InputTensor, value: unknown, row: number): number {
  if (value === null) return NaN;
  if (typeof value !== 'boolean') throw refuseRow(tensor, row, 'must be true, false or null');
  return value ? 1 : 0;
}

/** ECMA-262 time values end at 100,000,000 days either side of 1970. */
const LATEST = 8_640_000_000_000_000n;

/**
 * A timestamp column: INT64, milliseconds since 1970 in UTC, where the smallest is missing; or BYTES of ISO 8601, where the empty text is. Null in JSON is missing.
 * @throws InvalidRequestError
 */
export function timestampColumn(tensor: InputTensor): BigInt64Array {
  const { name, datatype, data } = tensor;
  if (datatype === 'BYTES') return timestampsOfTexts(tensor);
  if (datatype !== 'INT64')
    throw refuse(
      `The tensor '${name}' is a timestamp and must be INT64 (milliseconds since 1970) or BYTES (ISO 8601), not ${datatype}.`,
    );
  const column =
    'bytes' in data
      ? (viewElements('INT64', data.bytes) as BigInt64Array)
      : BigInt64Array.from(data.json, (value, row) =>
          value === null ? MISSING_TIMESTAMP : wholeNumber(tensor, value, row),
        );
  for (let row = 0; row < column.length; row++) {
    const value = column[row] as bigint;
    if ((value > LATEST || value < -LATEST) && value !== MISSING_TIMESTAMP)
      throw refuseRow(tensor, row, 'is no instant: milliseconds since 1970 end at 8.64e15');
  }
  return column;
}

function timestampsOfTexts(tensor: InputTensor): BigInt64Array {
  return BigInt64Array.from(textsOf(tensor), (text, row) => {
    if (text === null || text === '') return MISSING_TIMESTAMP;
    const milliseconds = parseTimestamp(text);
    if (milliseconds === undefined) throw refuseRow(tensor, row, 'is no timestamp in ISO 8601');
    return BigInt(milliseconds);
  });
}
