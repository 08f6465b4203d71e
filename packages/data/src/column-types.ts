import type { ColumnType } from '@perennial/contract';

const NUMBERS =
  /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;
const TEXTS = /^(VARCHAR|UUID|ENUM\(.*\))$/s;
const TIMESTAMPS = /^(DATE|TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP_NS|TIMESTAMP WITH TIME ZONE)$/;

/** What a column of DuckDB's type is at an artifact's border; undefined for types that have no place there (lists, structs, intervals, …). */
export function columnTypeOf(type: string): ColumnType | undefined {
  if (NUMBERS.test(type)) return 'number';
  if (type === 'BOOLEAN') return 'boolean';
  if (TEXTS.test(type)) return 'text';
  if (TIMESTAMPS.test(type)) return 'timestamp';
  return undefined;
}

/** A type in words, for messages. */
export function spokenType(type: string): string {
  const kind = columnTypeOf(type);
  return kind === undefined ? `of the type ${type}` : `of the type ${kind} (${type})`;
}
