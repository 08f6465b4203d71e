import { MISSING_TIMESTAMP, type InputColumn, type Instance, type FeatureValue } from '@perennial/contract';
import type { ColumnBatch, RawColumn } from '@perennial/onnx';

/** Rows as clients send them, with their numbers in the batch. */
export interface AskedRows {
  rows: Uint32Array;
  instances: Instance[];
}

/** Longest text of a request's value; longer ones and those below are refused, so no client can have them answered. */
const LONGEST_TEXT = 10_000;
const REFUSED_TEXT = /[\0\p{Surrogate}]/u;

/** The first rows of a batch that a request can carry, which has neither infinity nor every text, as instances of these columns. */
export function askedRows(batch: ColumnBatch, inputs: readonly InputColumn[], most: number): AskedRows {
  const rows: number[] = [];
  const instances: Instance[] = [];
  for (let row = 0; row < batch.rows && rows.length < most; row++) {
    const values = inputs.map(
      (input) => [input.name, valueAt(batch.columns[input.name], input, row)] as const,
    );
    if (values.some(([, value]) => value === undefined)) continue;
    rows.push(row);
    // Not by assignment, which would call the setter of a column named `__proto__`.
    instances.push(Object.fromEntries(values) as Instance);
  }
  return { rows: Uint32Array.from(rows), instances };
}

/** The value as JSON has it; undefined where it has none. */
function valueAt(
  column: RawColumn | undefined,
  { type }: InputColumn,
  row: number,
): FeatureValue | undefined {
  const value = column?.[row];
  if (value === undefined) return undefined;
  if (typeof value === 'string') return textValue(value);
  if (typeof value === 'bigint') return value === MISSING_TIMESTAMP ? null : timestampValue(Number(value));
  if (Number.isNaN(value)) return null;
  if (type === 'boolean') return value !== 0;
  return Number.isFinite(value) ? value : undefined;
}

function textValue(text: string): string | null | undefined {
  if (text === '') return null;
  return text.length > LONGEST_TEXT || REFUSED_TEXT.test(text) ? undefined : text;
}

/** ISO 8601 for the years that have four digits, and milliseconds for the rest. */
function timestampValue(milliseconds: number): string | number {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString() : milliseconds;
}
