import type { ColumnSummary } from '@perennial/contract';
import type { Connection } from './engine.ts';
import type { Moments } from './moments.ts';
import type { DatasetColumn } from './plan.ts';
import { measureSpread, type Spread } from './spread.ts';
import type { ValueCounts } from './vocabulary.ts';

/** How many of the most frequent values a summary shows. */
export const TOP_VALUES = 200;

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
  present: number;
  distinct: number;
  mean: number | null;
  whole: boolean;
}

/** Summarises columns over the training rows. Distinct counts of numbers and times are estimates (HyperLogLog), those of text exact. */
export async function summariseColumns(
  connection: Connection,
  input: SummaryInput,
): Promise<ColumnSummary[]> {
  const facts = await columnFacts(connection, input);
  const summaries: ColumnSummary[] = [];
  for (const [index, column] of input.columns.entries()) {
    const known = facts[index] ?? { present: 0, distinct: 0, mean: null, whole: false };
    const isMeasured = (column.type === 'number' || column.type === 'timestamp') && known.present > 0;
    const spread = isMeasured
      ? await measureSpread(connection, { ...known, from: input.from, alias: column.alias })
      : null;
    summaries.push(summary(column, input, { ...known, spread }));
  }
  return summaries;
}

async function columnFacts(connection: Connection, { columns, from }: SummaryInput): Promise<ColumnFacts[]> {
  const select = columns.flatMap((column, i) =>
    factsSql(column).map(([name, sql]) => `${sql} AS ${name}${i}`),
  );
  const row = await connection.row<Record<string, unknown>>(`SELECT ${select.join(', ')} FROM ${from}`);
  return columns.map((_, i) => ({
    present: Number(row[`n${i}`]),
    distinct: Number(row[`d${i}`] ?? 0),
    mean: row[`m${i}`] === null || row[`m${i}`] === undefined ? null : Number(row[`m${i}`]),
    whole: row[`w${i}`] === true,
  }));
}

function factsSql({ alias, type }: DatasetColumn): [string, string][] {
  const present: [string, string] = ['n', `count(${alias})`];
  const distinct: [string, string] = ['d', `approx_count_distinct(${alias})`];
  switch (type) {
    case 'number':
      return [present, distinct, ['w', `bool_and(${alias} = trunc(${alias}))`]];
    case 'timestamp':
      return [present, distinct, ['m', `CAST(sum(${alias}) AS DOUBLE) / count(${alias})`]];
    case 'text':
    case 'boolean':
      return [present];
  }
}

function summary(
  { name, type, alias }: DatasetColumn,
  { rows, moments, counts }: SummaryInput,
  { present, distinct, mean, spread }: ColumnFacts & { spread: Spread | null },
): ColumnSummary {
  const known = moments.get(alias);
  const counted = counts.get(alias);
  const isNumber = type === 'number' && known !== undefined && known.count > 0;
  return {
    name,
    type,
    missing: rows - present,
    distinct: counted?.distinct ?? distinct,
    min: spread?.quantiles[0] ?? null,
    max: spread?.quantiles.at(-1) ?? null,
    mean: isNumber ? known.mean : mean,
    standardDeviation: isNumber ? known.deviation : null,
    quantiles: spread?.quantiles ?? null,
    histogram: spread?.histogram ?? null,
    top: type === 'text' || type === 'boolean' ? (counted?.values.slice(0, TOP_VALUES) ?? []) : null,
  };
}
