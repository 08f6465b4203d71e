import { MISSING_TIMESTAMP, type ColumnType } from '@perennial/contract';
import type { RawColumn } from '@perennial/onnx';

/** A raw value for a sentence. */
export function valueText(value: RawColumn[number] | undefined, type: ColumnType): string {
  if (typeof value === 'bigint') return value === MISSING_TIMESTAMP ? 'missing' : instantText(value);
  if (typeof value === 'string') return value === '' ? 'missing' : `'${value}'`;
  if (value === undefined || Number.isNaN(value)) return 'missing';
  if (type === 'boolean') return value === 0 ? 'false' : 'true';
  return String(Number(value.toPrecision(6)));
}

/** An instant that a date cannot name is written as the milliseconds that it is. */
function instantText(milliseconds: bigint): string {
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? `${milliseconds} ms` : date.toISOString();
}

export function answerText({ before, after }: { before: number; after: number }): string {
  return `${Number(before.toPrecision(6))} → ${Number(after.toPrecision(6))}`;
}
