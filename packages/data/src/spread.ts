import type { Connection } from './engine.ts';
import { histogramBins, measureHistogram, type Histogram } from './histogram.ts';

/** Steps from one quantile to the next: 0 %, 5 % … 100 %. */
const QUANTILE_STEPS = 20;

/** A column of numbers or times of a table expression. */
export interface SpreadColumn {
  from: string;
  alias: string;
  /** Values that are there; at least one. */
  present: number;
  /** Whether every value is a whole number. */
  whole: boolean;
}

/** How a column's values lie. */
export interface Spread {
  /** 0 %, 5 % … 100 %, 21 in all; between two values in proportion, as DuckDB's `quantile_cont` has them. */
  quantiles: number[];
  histogram: Histogram;
}

const SORTED = 'sorted_values';

/**
 * Measures quantiles and histogram of a column on its sorted values. Sorting takes a third of the time that `quantile_cont` takes for so many
 * quantiles (40 against 110 ms for 460,000 values), and spills to disk where that one would have to hold all values in memory.
 */
export async function measureSpread(connection: Connection, column: SpreadColumn): Promise<Spread> {
  const { from, alias, present, whole } = column;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${SORTED} AS SELECT CAST(${alias} AS DOUBLE) AS value FROM ${from}
     WHERE ${alias} IS NOT NULL ORDER BY value`,
  );
  const quantiles = await pickQuantiles(connection, present);
  const histogram = await measureHistogram(connection, SORTED, histogramBins(quantiles, whole));
  await connection.run(`DROP TABLE ${SORTED}`);
  return { quantiles, histogram };
}

async function pickQuantiles(connection: Connection, present: number): Promise<number[]> {
  const places = Array.from(
    { length: QUANTILE_STEPS + 1 },
    (_, step) => (step * (present - 1)) / QUANTILE_STEPS,
  );
  const wanted = new Set(places.flatMap((place) => [Math.floor(place), Math.ceil(place)]));
  const rows = await connection.rows<{ place: bigint; value: number }>(
    `SELECT rowid AS place, value FROM ${SORTED} WHERE rowid IN (${[...wanted].join(', ')})`,
  );
  const values = new Map(rows.map(({ place, value }) => [Number(place), value]));
  return places.map((place) => {
    const low = values.get(Math.floor(place)) ?? 0;
    const high = values.get(Math.ceil(place)) ?? 0;
    return low + (high - low) * (place - Math.floor(place));
  });
}
