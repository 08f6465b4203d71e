import type { ColumnSummary } from '@perennial/contract';
import type { Connection } from './engine.ts';
import { literal } from './sql.ts';

export type Histogram = NonNullable<ColumnSummary['histogram']>;

const MOST_BINS = 32;

/** Bins of equal width: each from its edge to the next, the last one with its upper edge. */
export interface Bins {
  edges: number[];
  width: number;
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
  return realBins(low, high);
}

function wholeBins(low: number, high: number): Bins {
  const width = Math.max(1, Math.ceil((high - low + 1) / MOST_BINS));
  const count = Math.max(1, Math.ceil((high - low + 1) / width));
  return { edges: Array.from({ length: count + 1 }, (_, i) => low - 0.5 + i * width), width };
}

function realBins(low: number, high: number): Bins {
  const width = high / MOST_BINS - low / MOST_BINS;
  // Values that are all but the same are in one bin about them.
  if (!(low + width > low)) {
    const around = Math.max(1, Math.abs(high) * 1e-6);
    return { edges: [low - around / 2, high + around / 2], width: around };
  }
  // The last edge is exact, or rounding might leave the largest value out.
  return { edges: [...Array.from({ length: MOST_BINS }, (_, i) => low + width * i), high], width };
}

/** Counts the rows of a table of values in each bin; values outside of the bins are in none. */
export async function measureHistogram(
  connection: Connection,
  table: string,
  { edges, width }: Bins,
): Promise<Histogram> {
  const [first, last] = [literal(edges[0] ?? 0), literal(edges.at(-1) ?? 0)];
  const bin = `least(floor((value - ${first}) / ${literal(width)}), ${edges.length - 2})`;
  const found = await connection.rows<{ bin: number; n: bigint }>(
    `SELECT CAST(${bin} AS UTINYINT) AS bin, count(*) AS n FROM ${table}
     WHERE value BETWEEN ${first} AND ${last} GROUP BY bin`,
  );
  const rows = new Array<number>(edges.length - 1).fill(0);
  for (const { bin: index, n } of found) rows[index] = Number(n);
  return { edges, rows };
}
