import type { ColumnSummary } from '@perennial/contract';
import type { Connection } from './engine.ts';
import { literal } from './sql.ts';

export type Histogram = NonNullable<ColumnSummary['histogram']>;

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
export function histogramBins(quantiles: readonly number[], whole: boolean): Bins {
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

/** Counts the rows of a table of values in each bin; values outside of the bins are in none. */
export async function measureHistogram(
  connection: Connection,
  table: string,
  { low, width, count }: Bins,
): Promise<Histogram> {
  // The last bin has its upper edge too.
  const bin = `least(floor((value - ${literal(low)}) / ${literal(width)}), ${count - 1})`;
  const found = await connection.rows<{ bin: number; n: bigint }>(
    `SELECT CAST(${bin} AS UTINYINT) AS bin, count(*) AS n FROM ${table}
     WHERE value BETWEEN ${literal(low)} AND ${literal(low + width * count)} GROUP BY bin`,
  );
  const rows = new Array<number>(count).fill(0);
  for (const { bin: index, n } of found) rows[index] = Number(n);
  return { edges: Array.from({ length: count + 1 }, (_, i) => low + width * i), rows };
}
