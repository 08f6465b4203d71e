import type { ColumnSummary } from '@perennial/contract';
import type { Connection } from './engine.ts';
import { literal } from './sql.ts';

export type Histogram = NonNullable<ColumnSummary['histogram']>;

/** How a column's values lie. */
export interface Spread {
  /** 0 %, 5 % … 100 %, 21 in all. */
  quantiles: readonly number[];
  /** Whether every value is a whole number. */
  whole: boolean;
}

const MOST_BINS = 32;

/** Bins of equal width: the i-th goes from `low + i * width` to the next. */
export interface Bins {
  low: number;
  width: number;
  count: number;
}

/**
 * The bins that show how values lie. They go from the smallest value to the largest, but on either side no further beyond the middle 90 % than
 * those are wide: a single stray value would else leave all others in one bin. Whole numbers stand in the middle of their bins, each bin
 * as many numbers wide as the others, so that no bin is fuller only for holding one number more.
 */
export function histogramBins({ quantiles, whole }: Spread): Bins {
  const [first, low5, high95, last] = [0, 1, 19, 20].map((i) => quantiles[i] ?? 0) as [
    number,
    number,
    number,
    number,
  ];
  const reach = high95 - low5;
  const low = reach > 0 ? Math.max(first, low5 - reach) : first;
  const high = reach > 0 ? Math.min(last, high95 + reach) : last;
  if (whole && last - first < Number.MAX_SAFE_INTEGER) return wholeBins(Math.ceil(low), Math.floor(high));
  const width = (high - low) / MOST_BINS;
  return width > 0 && low + width > low ? { low, width, count: MOST_BINS } : singleBin(low, high);
}

function wholeBins(low: number, high: number): Bins {
  const width = Math.max(1, Math.ceil((high - low + 1) / MOST_BINS));
  return { low: low - 0.5, width, count: Math.max(1, Math.ceil((high - low + 1) / width)) };
}

/** One bin about values that are all but the same. */
function singleBin(low: number, high: number): Bins {
  const width = Math.max(1, Math.abs(high) * 1e-6);
  return { low: low - width / 2, width: width + (high - low), count: 1 };
}

/** Counts the rows in the bins of each column, all in one query; values outside of the bins are in none. */
export async function measureHistograms(
  connection: Connection,
  from: string,
  columns: readonly { alias: string; spread: Spread }[],
): Promise<Map<string, Histogram>> {
  if (columns.length === 0) return new Map();
  const planned = columns.map(({ alias, spread }) => ({ alias, bins: histogramBins(spread) }));
  const select = planned.map(({ alias, bins }, i) => `histogram(${binSql(alias, bins)}) AS h${i}`);
  const row = await connection.row<Record<string, { key: number; value: bigint }[] | null>>(
    `SELECT ${select.map((_, i) => `map_entries(h${i}) AS h${i}`).join(', ')} FROM (SELECT ${select.join(', ')} FROM ${from})`,
  );
  return new Map(planned.map(({ alias, bins }, i) => [alias, histogramOf(bins, row[`h${i}`] ?? [])]));
}

/** The number of a value's bin, NULL outside; the last bin has its upper edge too. */
function binSql(alias: string, { low, width, count }: Bins): string {
  const place = `floor((${alias} - ${literal(low)}) / ${literal(width)})`;
  const last = literal(low + width * count);
  return `CASE WHEN ${alias} >= ${literal(low)} AND ${alias} <= ${last} THEN least(${place}, ${count - 1}) END`;
}

function histogramOf(
  { low, width, count }: Bins,
  entries: readonly { key: number; value: bigint }[],
): Histogram {
  const rows = new Array<number>(count).fill(0);
  for (const { key, value } of entries) rows[key] = Number(value);
  return { edges: Array.from({ length: count + 1 }, (_, i) => low + width * i), rows };
}
