import { MISSING_TIMESTAMP } from '@perennial/contract';
import type { SplitBatch } from '@perennial/data';
import type { RawColumn } from '@perennial/onnx';

/** Rows that are looked at: enough to tell 0.995 from 0.99, and a tenth of a second's work for ten columns. */
export const EXAMINED_ROWS = 20_000;

/** Different numbers up to which each is a code of its own; more are put into so many ranges of equally many rows. */
const CODES = 256;

/** An input column as what is asked of it. */
export interface ExaminedColumn {
  name: string;
  /** Numbers and times, NaN where missing; null of text. */
  numbers: Float64Array | null;
  /** Which category or range each row is in; missing values have one of their own. */
  codes: Int32Array;
}

export interface ExaminedRows {
  rows: number;
  columns: ExaminedColumn[];
  /** Numbers as they are; classes by number. */
  labels: Float64Array;
}

/** Takes the first rows of a split. */
export async function examineRows(batches: AsyncIterable<SplitBatch>): Promise<ExaminedRows> {
  const taken: SplitBatch[] = [];
  let rows = 0;
  for await (const batch of batches) {
    taken.push(batch);
    rows += batch.batch.rows;
    if (rows >= EXAMINED_ROWS) break;
  }
  rows = Math.min(rows, EXAMINED_ROWS);
  const names = Object.keys(taken[0]?.batch.columns ?? {});
  const columns = names.map((name) =>
    examined(
      name,
      taken.map(({ batch }) => batch.columns[name] ?? []),
      rows,
    ),
  );
  return { rows, columns, labels: labelNumbers(taken, rows) };
}

function examined(name: string, parts: readonly RawColumn[], rows: number): ExaminedColumn {
  if (parts.some((part) => Array.isArray(part))) {
    return { name, numbers: null, codes: numbered(parts.flatMap((part) => part as string[]).slice(0, rows)) };
  }
  const numbers = new Float64Array(rows);
  let filled = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length && filled < rows; i += 1, filled += 1)
      numbers[filled] = plainNumber(part[i]);
  }
  return { name, numbers, codes: rangeCodes(numbers) };
}

function plainNumber(value: number | bigint | string | undefined): number {
  return value === MISSING_TIMESTAMP ? Number.NaN : Number(value);
}

/** Numbers for texts in the order they are met. */
function numbered(texts: readonly string[]): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(texts, (text) => {
    const code = known.get(text) ?? known.size;
    known.set(text, code);
    return code;
  });
}

/** Codes of numbers; -1 is missing. */
function rangeCodes(numbers: Float64Array): Int32Array {
  const present = numbers.filter((value) => !Number.isNaN(value)).sort();
  const distinct = present.filter((value, i) => i === 0 || value !== present[i - 1]);
  const edges =
    distinct.length <= CODES
      ? distinct
      : Float64Array.from({ length: CODES }, (_, i) => present[Math.floor((i * present.length) / CODES)]!);
  return Int32Array.from(numbers, (value) => (Number.isNaN(value) ? -1 : lastAtMost(edges, value)));
}

/** The place of the last edge that is not above the value. */
function lastAtMost(edges: Float64Array, value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function labelNumbers(taken: readonly SplitBatch[], rows: number): Float64Array {
  const known = new Map<string, number>();
  const labels = new Float64Array(rows);
  let filled = 0;
  for (const { labels: some } of taken) {
    for (let i = 0; i < some.length && filled < rows; i += 1, filled += 1) {
      const label = some[i]!;
      if (typeof label === 'string' && !known.has(label)) known.set(label, known.size);
      labels[filled] = typeof label === 'string' ? known.get(label)! : label;
    }
  }
  return labels;
}
