import type { ColumnType } from '@perennial/contract';
import { numberText } from './sql.ts';

/** A column in the staged table: how SQL reaches it and what it is. */
export interface StagedColumn {
  sql: string;
  /** DuckDB's name of its type. */
  type: string;
}

/**
 * A column's values as they cross the artifact's border, in the form that the statistics and the split files are made from: DOUBLE for numbers
 * and booleans, VARCHAR, BIGINT milliseconds for timestamps; NULL where the value is missing. NaN and infinities are missing, as is empty text.
 * Negative zero becomes zero: the two sort as equal and would leave the order of rows, and so the file's digest, to chance.
 */
export function borderSql({ sql, type }: StagedColumn, as: ColumnType): string {
  switch (as) {
    case 'number':
      return finite(`CAST(${sql} AS DOUBLE)`);
    case 'boolean':
      return `CAST(${sql} AS DOUBLE)`;
    case 'text':
      return `nullif(CAST(${sql} AS VARCHAR), '')`;
    case 'timestamp':
      return `epoch_ms(${momentSql({ sql, type })})`;
  }
}

/** A number without NaN and infinities. */
export function finite(double: string): string {
  return `CASE WHEN isfinite(${double}) THEN ${double} + 0 END`;
}

/**
 * A column as an instant: a TIMESTAMP, in UTC, or TIMESTAMPTZ. Text is ISO 8601, and UTC where it names no offset; text that is no time is NULL,
 * as are the infinities.
 */
export function momentSql({ sql, type }: StagedColumn): string {
  const moment = rawMomentSql({ sql, type });
  return `CASE WHEN isfinite(${moment}) THEN ${moment} END`;
}

/** As {@link momentSql} with infinities left in: plain enough for a Parquet reader to skip row groups by. */
export function rawMomentSql({ sql, type }: StagedColumn): string {
  if (type === 'VARCHAR') return `try_cast(${sql} AS TIMESTAMPTZ)`;
  return type === 'DATE' || type === 'TIMESTAMP' || type === 'TIMESTAMP WITH TIME ZONE'
    ? sql
    : `CAST(${sql} AS TIMESTAMP)`;
}

/** A column's value as category or slice text; NULL where it is missing. Must agree with `categoryText` of the reader. */
export function textSql({ sql, type }: StagedColumn, as: ColumnType): string {
  switch (as) {
    case 'number':
      return `nullif(${numberText(borderSql({ sql, type }, 'number'))}, '')`;
    case 'boolean':
      return `CAST(${sql} AS VARCHAR)`;
    case 'text':
    case 'timestamp':
      return borderSql({ sql, type }, 'text');
  }
}
