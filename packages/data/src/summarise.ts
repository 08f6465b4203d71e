import type { ColumnSummary } from '@perennial/contract';
import type { Connection } from './engine.ts';
import type { Moments } from './moments.ts';
import type { DatasetColumn } from './plan.ts';
import type { ValueCounts } from './vocabulary.ts';

/** How many of the most frequent values a summary shows. */
export const TOP_VALUES = 10;

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
  min: number | null;
  max: number | null;
  mean: number | null;
  quantiles: number[] | null;
}

/** Summarises columns over the training rows. Distinct counts of numbers and times are estimates (HyperLogLog), those of text exact. */
export async function summariseColumns(
  connection: Connection,
  input: SummaryInput,
): Promise<ColumnSummary[]> {
  const facts = await columnFacts(connection, input);
  return input.columns.map((column, index) => summary(column, input, facts[index]));
}

async function columnFacts(
  connection: Connection,
  { columns, from, rows }: SummaryInput,
): Promise<ColumnFacts[]> {
  const select = columns.flatMap((column, i) =>
    factsSql(column).map(([name, sql]) => `${sql} AS ${name}${i}`),
  );
  const row = await connection.row<Record<string, unknown>>(`SELECT ${select.join(', ')} FROM ${from}`);
  const number = (name: string) => (row[name] === null || row[name] === undefined ? null : Number(row[name]));
  return columns.map((_, i) => ({
    missing: rows - Number(row[`n${i}`]),
    distinct: Number(row[`d${i}`] ?? 0),
    min: number(`low${i}`),
    max: number(`high${i}`),
    mean: number(`m${i}`),
    quantiles: (row[`q${i}`] as number[] | null | undefined) ?? null,
  }));
}

function factsSql({ alias, type }: DatasetColumn): [string, string][] {
  const present: [string, string] = ['n', `count(${alias})`];
  const range: [string, string][] = [
    ['d', `approx_count_distinct(${alias})`],
    ['low', `min(${alias})`],
    ['high', `max(${alias})`],
  ];
  switch (type) {
    case 'number':
      return [present, ...range, ['q', `quantile_cont(${alias}, [0.05, 0.25, 0.5, 0.75, 0.95])`]];
    case 'timestamp':
      return [present, ...range, ['m', `CAST(sum(${alias}) AS DOUBLE) / count(${alias})`]];
    case 'text':
    case 'boolean':
      return [present];
  }
}

function summary(
  { name, type, alias }: DatasetColumn,
  { rows, moments, counts }: SummaryInput,
  facts: ColumnFacts | undefined,
): ColumnSummary {
  const known = moments.get(alias);
  const counted = counts.get(alias);
  const isNumber = type === 'number' && known !== undefined && known.count > 0;
  return {
    name,
    type,
    missing: facts?.missing ?? rows,
    distinct: counted?.distinct ?? facts?.distinct ?? 0,
    min: facts?.min ?? null,
    max: facts?.max ?? null,
    mean: isNumber ? known.mean : (facts?.mean ?? null),
    standardDeviation: isNumber ? known.deviation : null,
    quantiles: facts?.quantiles ?? null,
    top: type === 'text' || type === 'boolean' ? (counted?.values.slice(0, TOP_VALUES) ?? []) : null,
  };
}
