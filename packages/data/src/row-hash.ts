import { columnTypeOf } from './column-types.ts';
import type { SourceColumn } from './source-relation.ts';
import { identifier, literal, numberText } from './sql.ts';

/** What a row is known by: SQL over the source's columns, each a text that is NULL where there is no value. */
interface HashedPart {
  name: string;
  text: string;
  /** Whether the text may hold anything, so that its length must be told; those of numbers, times and booleans have no `;`. */
  free: boolean;
}

/** A hash in two steps, so that each text is made once: the parts over the source, and the hash over the parts' aliases. */
export interface RowHashPlan {
  /** Each a column of the inner query. */
  parts: { alias: string; sql: string }[];
  /** BIGINT, over the aliases. */
  hash: string;
}

export interface HashedRows {
  source: readonly SourceColumn[];
  time: SourceColumn;
  /** Absent: rows are known by all that the source says of them. */
  key: SourceColumn | undefined;
}

/**
 * Plans the hash that says whether two rows, of any two dataset versions, are the same one: equal in key and time where there is a key, in every
 * column of the source where there is none.
 *
 * It is md5 (RFC 1321) of the values that are there, by name of column: numbers, times and booleans as `;<bytes of the name>:<name>=<value>`, others
 * as `;<bytes of the name>:<name>~<bytes of the value>:<value>`, so that no two rows have the same text. Of the digest it is the last eight bytes as a little-endian number, halved so that no reader needs unsigned integers. Nothing in it is DuckDB's own, whose
 * `hash()` differs between its versions. A missing value leaves no trace, so that a column which the source gains later leaves older rows'
 * hashes as they were; an empty text does leave one. Numbers and times have one text whatever type they are stored as: the same rows as CSV one day
 * and as Parquet the next are the same rows.
 */
export function rowHashPlan({ source, time, key }: HashedRows): RowHashPlan {
  const parts = key === undefined ? wholeRow(source, time) : keyAndTime(key, time);
  const aliased = parts.map((part, index) => ({ ...part, alias: `h${index}` }));
  return {
    parts: aliased.map(({ alias, text }) => ({ alias, sql: text })),
    hash: `CAST(md5_number(concat(${aliased.flatMap(pieces).join(', ')})) >> 65 AS BIGINT)`,
  };
}

/**
 * A value with its name, all NULL where it is missing, which concat leaves out. Constants that are pieces of their own in one call for the whole row take a
 * third of the time that joining with || takes, which copies the row's text at each step.
 */
function pieces({ name, alias, free }: HashedPart & { alias: string }): string[] {
  const ifThere = (text: string) => `CASE WHEN ${alias} IS NOT NULL THEN ${literal(text)} END`;
  const named = `;${Buffer.byteLength(name)}:${name}`;
  return free
    ? [ifThere(`${named}~`), `strlen(${alias})`, ifThere(':'), alias]
    : [ifThere(`${named}=`), alias];
}

function wholeRow(source: readonly SourceColumn[], time: SourceColumn): HashedPart[] {
  return [...source]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((column) => (column.name === time.name ? timePart(column) : valuePart(column)));
}

/** Under names of their own: the same rows may come from a source that calls its columns otherwise. */
function keyAndTime(key: SourceColumn, time: SourceColumn): HashedPart[] {
  return [
    { ...valuePart(key), name: 'key' },
    { ...timePart(time), name: 'time' },
  ];
}

function valuePart({ name, type }: SourceColumn): HashedPart {
  const column = identifier(name);
  switch (columnTypeOf(type)) {
    case 'number':
      return { name, text: numberPart(column, type), free: false };
    case 'timestamp':
      return timePart({ name, type });
    case 'boolean':
      return { name, text: `CAST(${column} AS VARCHAR)`, free: false };
    case 'text':
      return { name, text: `CAST(${column} AS VARCHAR)`, free: true };
    case undefined:
      return { name, text: `CAST(to_json(${column}) AS VARCHAR)`, free: true };
  }
}

/** NaN and infinities are no values here, as they are none in a split. */
function numberPart(column: string, type: string): string {
  const real = type.startsWith('DECIMAL') ? `CAST(${column} AS DOUBLE)` : column;
  if (type !== 'FLOAT' && type !== 'DOUBLE' && real === column) return `CAST(${column} AS VARCHAR)`;
  return `CASE WHEN isfinite(${real}) THEN ${numberText(real)} END`;
}

/** Microseconds since 1970. A time that does not fit is none, since no build may fail over a column that only the hash reads. */
function timePart({ name, type }: SourceColumn): HashedPart {
  const target = type === 'VARCHAR' || type === 'TIMESTAMP WITH TIME ZONE' ? 'TIMESTAMPTZ' : 'TIMESTAMP';
  const moment = `try_cast(${identifier(name)} AS ${target})`;
  const text = `CAST(CASE WHEN isfinite(${moment}) THEN epoch_us(${moment}) END AS VARCHAR)`;
  return { name, text, free: false };
}
