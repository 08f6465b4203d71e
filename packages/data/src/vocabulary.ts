import type { ColumnType } from '@perennial/contract';
import type { Connection } from './engine.ts';

/** How often each value of a column occurs, most frequent first, equally frequent ones in order of value. */
export interface ValueCounts {
  /** At most as many as were asked for. */
  values: { value: string; rows: number }[];
  /** How many different values there are in all. */
  distinct: number;
}

/** A column of a table expression whose values are counted. */
export interface CountedColumn {
  from: string;
  alias: string;
  type: ColumnType;
  /** How many values are wanted. */
  limit: number;
}

/** Counts a column's values; missing ones are left out. */
export async function countValues(
  connection: Connection,
  { from, alias, type, limit }: CountedColumn,
): Promise<ValueCounts> {
  const rows = await connection.rows<{ value: string | number; n: bigint; total: bigint }>(
    `SELECT value, n, count(*) OVER () AS total
     FROM (SELECT ${alias} AS value, count(*) AS n FROM ${from} WHERE ${alias} IS NOT NULL GROUP BY ${alias})
     ORDER BY n DESC, value LIMIT ${limit}`,
  );
  return {
    values: rows.map(({ value, n }) => ({ value: categoryText(value, type), rows: Number(n) })),
    distinct: Number(rows[0]?.total ?? 0n),
  };
}

/** The text that a value is looked up by in a vocabulary: of a boolean, which is 0 or 1 here, its word. */
export function categoryText(value: string | number, type: ColumnType): string {
  return type === 'boolean' ? String(value === 1) : String(value);
}

/** The values that are frequent enough, the most frequent `maxSize` of them. */
export function vocabularyOf(
  { values }: ValueCounts,
  { minCount, maxSize }: { minCount: number; maxSize: number },
): string[] {
  return values
    .filter(({ rows }) => rows >= minCount)
    .slice(0, maxSize)
    .map(({ value }) => value);
}

/**
 * Dimension of an embedding over this many entries, after fast.ai's rule of thumb (Howard and Gugger, "fastai: A Layered API for Deep Learning",
 * 2020: `emb_sz_rule`), with a lower limit than theirs of 600.
 */
export function embeddingDimension(entries: number): number {
  return Math.min(50, Math.max(1, Math.round(1.6 * entries ** 0.56)));
}
