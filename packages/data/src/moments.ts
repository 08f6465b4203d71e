import type { Connection } from './engine.ts';
import { literal } from './sql.ts';

/** What is known of a column of numbers, its missing values left out. */
export interface Moments {
  /** Values that are there. */
  count: number;
  /** Of no values all four are 0. */
  min: number;
  max: number;
  mean: number;
  /** Of the population: divided by `count`. */
  deviation: number;
}

interface Extent {
  count: number;
  min: number;
  max: number;
}

/**
 * Moments of SQL expressions of type DOUBLE over a table expression, by expression; values must be finite.
 *
 * A sum of doubles depends on its order, and the order on threads. Here values are taken as whole multiples of a power of two, fine enough that at
 * most the 62nd bit below the largest is lost (the 45th for squares), and added as integers of 128 bits: exactly, in any order, with the same
 * result on every machine.
 */
export async function measureMoments(
  connection: Connection,
  from: string,
  expressions: readonly string[],
): Promise<Map<string, Moments>> {
  const distinct = [...new Set(expressions)];
  if (distinct.length === 0) return new Map();
  const extents = await measureExtents(connection, from, distinct);
  const means = await measureMeans(connection, from, extents);
  const deviations = await measureDeviations(connection, from, means);
  return new Map(
    distinct.map((expression) => [
      expression,
      deviations.get(expression) ?? { count: 0, min: 0, max: 0, mean: 0, deviation: 0 },
    ]),
  );
}

/**
 * A statistic with the digits that every machine agrees on: logarithms come from each machine's own mathematics library, and may differ in
 * the last bit of a value, which the twelve digits that are kept do not show.
 */
export function steady(statistic: number): number {
  return Number(statistic.toPrecision(12));
}

async function measureExtents(
  connection: Connection,
  from: string,
  expressions: readonly string[],
): Promise<Map<string, Extent>> {
  const select = expressions.map(
    (e, i) => `count(${e}) AS n${i}, min(${e}) AS low${i}, max(${e}) AS high${i}`,
  );
  const row = await connection.row<Record<string, bigint | number | null>>(
    `SELECT ${select.join(', ')} FROM ${from}`,
  );
  const extents = expressions.map((expression, i): [string, Extent] => {
    const extent = { count: Number(row[`n${i}`]), min: Number(row[`low${i}`]), max: Number(row[`high${i}`]) };
    return [expression, extent];
  });
  return new Map(extents.filter(([, { count }]) => count > 0));
}

async function measureMeans(connection: Connection, from: string, extents: Map<string, Extent>) {
  const planned = [...extents].map(([expression, extent]) => {
    const scale = gridScale(Math.max(Math.abs(extent.min), Math.abs(extent.max)), 61);
    return { expression, extent, scale, sql: `sum(CAST(${expression} * ${literal(scale)} AS BIGINT))` };
  });
  const sums = await sumsOf(connection, from, planned);
  return new Map(
    planned.map(({ expression, extent, scale }, i) => {
      const mean = Number(sums[i]) / extent.count / scale;
      // Rounding may put the mean of equal values beside them by a bit.
      return [expression, { ...extent, mean: Math.min(extent.max, Math.max(extent.min, mean)) }];
    }),
  );
}

async function measureDeviations(
  connection: Connection,
  from: string,
  means: Map<string, Extent & { mean: number }>,
): Promise<Map<string, Moments>> {
  const planned = [...means].map(([expression, known]) => {
    const scale = gridScale(Math.max(known.max - known.mean, known.mean - known.min), 44);
    const whole = `CAST((${expression} - ${literal(known.mean)}) * ${literal(scale)} AS BIGINT)`;
    return { expression, known, scale, sql: `sum(CAST(${whole} AS HUGEINT) * ${whole})` };
  });
  const sums = await sumsOf(connection, from, planned);
  return new Map(
    planned.map(({ expression, known, scale }, i) => {
      return [expression, { ...known, deviation: Math.sqrt(Number(sums[i]) / known.count) / scale }];
    }),
  );
}

async function sumsOf(
  connection: Connection,
  from: string,
  planned: readonly { sql: string }[],
): Promise<bigint[]> {
  if (planned.length === 0) return [];
  const select = planned.map(({ sql }, i) => `${sql} AS s${i}`);
  const row = await connection.row<Record<string, bigint>>(`SELECT ${select.join(', ')} FROM ${from}`);
  return planned.map((_, i) => row[`s${i}`] ?? 0n);
}

/** The power of two that brings values up to `largest` in size below 2^bits. */
function gridScale(largest: number, bits: number): number {
  if (largest === 0) return 1;
  return 2 ** Math.min(1000, bits - 1 - Math.floor(Math.log2(largest)));
}
