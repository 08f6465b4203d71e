import type { ColumnSummary } from '@perennial/contract';
import type { Connection } from './engine.ts';
import { measureHistograms, type Spread } from './histogram.ts';
import type { Moments } from './moments.ts';
import type { DatasetColumn } from './plan.ts';
import { literals } from './sql.ts';
import type { ValueCounts } from './vocabulary.ts';

/** How many of the most frequent values a summary shows. */
export const TOP_VALUES = 200;

/** Steps from one quantile to the next: 0 %, 5 % … 100 %. */
const QUANTILE_STEPS = 20;

/** Columns that are summarised, and what the fit has found out about them already. */
export interface SummaryInput {
  columns: readonly DatasetColumn[];
  /** The training rows, as a table expression, and how many they are. */
  from: string;
  rows: number;
  /** Of number columns by alias. */
  moments: ReadonlyMap<string, Moments>;
  /** Of text and boolean columns by alias. */
  counts: ReadonlyMap<string, ValueCounts>;
}

/** What one query finds of each column, by index. */
interface ColumnFacts {
  missing: number;
  distinct: number;
  mean: number | null;
  /** Null of text and booleans, and where no value is there. */
  spread: Spread | null;
}

/**
 * Summarises columns over the training rows: one query for the facts of all of them, one for all histograms. Distinct counts of numbers and
 * times are estimates (HyperLogLog), those of text exact.
 */
export async function summariseColumns(
  connection: Connection,
  input: SummaryInput,
): Promise<ColumnSummary[]> {
  const facts = await columnFacts(connection, input);
  const spreads = input.columns.flatMap(({ alias }, i) => {
    const spread = facts[i]?.spread ?? null;
    return spread === null ? [] : [{ alias, spread }];
  });
  const histograms = await measureHistograms(connection, input.from, spreads);
  return input.columns.map((column, index) =>
    summary(column, input, { facts: facts[index], histogram: histograms.get(column.alias) ?? null }),
  );
}

async function columnFacts(
  connection: Connection,
  { columns, from, rows }: SummaryInput,
): Promise<ColumnFacts[]> {
  const select = columns.flatMap((column, i) =>
    factsSql(column).map(([name, sql]) => `${sql} AS ${name}${i}`),
  );
  const row = await connection.row<Record<string, unknown>>(`SELECT ${select.join(', ')} FROM ${from}`);
  return columns.map((_, i) => {
    const mean = row[`m${i}`];
    const inner = row[`q${i}`] as number[] | null | undefined;
    return {
      missing: rows - Number(row[`n${i}`]),
      distinct: Number(row[`d${i}`] ?? 0),
      mean: mean === null || mean === undefined ? null : Number(mean),
      spread: inner
        ? {
            quantiles: [Number(row[`low${i}`]), ...inner, Number(row[`high${i}`])],
            whole: row[`w${i}`] === true,
          }
        : null,
    };
  });
}

const INNER_QUANTILES = literals(
  Array.from({ length: QUANTILE_STEPS - 1 }, (_, i) => (i + 1) / QUANTILE_STEPS),
);

function factsSql({ alias, type }: DatasetColumn): [string, string][] {
  const present: [string, string] = ['n', `count(${alias})`];
  const spread: [string, string][] = [
    ['d', `approx_count_distinct(${alias})`],
    ['low', `min(${alias})`],
    ['high', `max(${alias})`],
    ['q', `quantile_cont(${alias}, [${INNER_QUANTILES}])`],
  ];
  switch (type) {
    case 'number':
      return [present, ...spread, ['w', `bool_and(${alias} = trunc(${alias}))`]];
    case 'timestamp':
      return [present, ...spread, ['m', `CAST(sum(${alias}) AS DOUBLE) / count(${alias})`]];
    case 'text':
    case 'boolean':
      return [present];
  }
}

function summary(
  { name, type, alias }: DatasetColumn,
  { rows, moments, counts }: SummaryInput,
  { facts, histogram }: { facts: ColumnFacts | undefined; histogram: ColumnSummary['histogram'] },
): ColumnSummary {
  const known = moments.get(alias);
  const counted = counts.get(alias);
  const isNumber = type === 'number' && known !== undefined && known.count > 0;
  const quantiles = facts?.spread ? [...facts.spread.quantiles] : null;
  return {
    name,
    type,
    missing: facts?.missing ?? rows,
    distinct: counted?.distinct ?? facts?.distinct ?? 0,
    min: quantiles?.[0] ?? null,
    max: quantiles?.at(-1) ?? null,
    mean: isNumber ? known.mean : (facts?.mean ?? null),
    standardDeviation: isNumber ? known.deviation : null,
    quantiles,
    histogram,
    top: type === 'text' || type === 'boolean' ? (counted?.values.slice(0, TOP_VALUES) ?? []) : null,
  };
}
