import type { SourceSpec } from '@perennial/contract';

/** Carries the source's column names through the types; nothing at run time. */
declare const columns: unique symbol;

/** Where a source carries its function: beside the specification, not in it. Registered, since the pipeline's copy of this package may be another. */
const ROWS = Symbol.for('perennial.query-function');

/**
 * Where rows come from. `Column` names the source's columns where the author states them (`parquet<'date' | 'delay'>(…)`): then a time, key,
 * slice, feature or expectation on any other column does not compile. Unstated, they are checked when the source is read.
 */
export type Source<Column extends string = string> = SourceSpec & { readonly [columns]?: Column };

/** Parquet files. Paths are relative to the pipeline file's folder and may hold globs (`data/*.parquet`). */
export function parquet<Column extends string = string>(paths: string | string[]): Source<Column> {
  return { kind: 'parquet', paths: list(paths) };
}

export interface CsvOptions {
  /** One character; found by looking at the file when absent. */
  delimiter?: string;
  /**
   * Whether the first line names the columns. Without it they are `column0`, `column1`, ….
   * @default true
   */
  header?: boolean;
  /** Column types by name (`VARCHAR`, `BIGINT`, `DOUBLE`, `BOOLEAN`, `DATE`, `TIMESTAMP`), where looking at the file would guess wrong. */
  types?: Record<string, string>;
}

/** Comma-separated files. Paths as for {@link parquet}; lines that cannot be read go to quarantine. */
export function csv<Column extends string = string>(
  paths: string | string[],
  options: CsvOptions = {},
): Source<Column> {
  return { kind: 'csv', header: true, ...options, paths: list(paths) };
}

/** JSON files: one array of objects, or one object a line. Paths as for {@link parquet}. */
export function json<Column extends string = string>(paths: string | string[]): Source<Column> {
  return { kind: 'json', paths: list(paths) };
}

export interface PostgresOptions {
  /** Name of one of the platform's connections, such as `warehouse`, which is `PERENNIAL_CONNECTION_WAREHOUSE`. */
  connection: string;
  /**
   * One `select` (or `with … select`). It is run read-only inside another one that asks for the window's rows where `data.time` is of a date or
   * timestamp type, so that an index on that column is of use.
   */
  query: string;
}

/**
 * Rows of a query on a PostgreSQL database, read by cursor from one snapshot. Numbers, booleans, dates and timestamps stay what they are (`numeric` is
 * read as a double); every other type is the text that PostgreSQL writes for it.
 */
export function postgres<Column extends string = string>(options: PostgresOptions): Source<Column> {
  return { kind: 'postgres', ...options };
}

export interface ObjectStoreOptions {
  bucket: string;
  /**
   * Every object whose key begins with it is read, but for those in whose key, beyond the prefix, a name begins with `_` or `.`: writers keep their own there.
   * @default '' for the whole bucket
   */
  prefix?: string;
  format: 'parquet' | 'csv' | 'json';
}

/** Files in a bucket of the platform's S3-compatible store (`S3_ENDPOINT`). CSV must have a header. */
export function objectStore<Column extends string = string>(options: ObjectStoreOptions): Source<Column> {
  return { kind: 'objectStore', prefix: '', ...options };
}

/**
 * The events that were posted to a stream of the platform, each a row. A column is of the type of its first value; a number that is whole in every row is
 * whole, and a value of another type later on fails the run, naming the event.
 */
export function stream<Column extends string = string>(name: string): Source<Column> {
  return { kind: 'stream', stream: name };
}

/** The columns that a source of predictions has beside the model's inputs. */
export type PredictionColumn = 'label' | 'time' | 'key' | 'version';

/**
 * The platform's own predictions of a model with the truth that came in later: the model's input columns, and `label`, `time`, `key` and `version`. Of
 * several truths the newest counts; predictions without one are left out. A column whose name an input has already is called `prediction_label`, … instead.
 */
export function predictionLog<Input extends string = string>(
  model: string,
): Source<Input | PredictionColumn> {
  return { kind: 'predictionLog', model };
}

/** A value of a row: `Date` is an instant, `bigint` must fit a double exactly, `undefined` is missing as null is. */
export type QueryValue = string | number | bigint | boolean | Date | null | undefined;

/** What a query function is told. */
export interface QueryContext {
  /** The window: rows whose time is before `from`, or `to` or later, are read for nothing. */
  from: Date;
  to: Date;
  /** Aborted when the run is cancelled or its time is up. */
  signal: AbortSignal;
}

/** Yields rows; `async function* ({ from, to, signal }) { yield { … }; }` is one. Rows are asked for as they can be taken. */
export type QueryFunction<Row extends object = Record<string, QueryValue>> = (
  context: QueryContext,
) => AsyncIterable<Row> | Iterable<Row>;

/**
 * Rows that a function yields, which is run in the platform's process. Its column names are known to the compiler. Columns have types as those of
 * {@link stream}. The same rows give the same dataset, but whether they are the same is only known when they are read: such a step is never reused.
 */
export function query<Row extends { [Column in keyof Row]: QueryValue }>(
  run: QueryFunction<Row>,
): Source<keyof Row & string> {
  const source: Source<keyof Row & string> = { kind: 'query' };
  return Object.defineProperty(source, ROWS, { value: run });
}

/** The function that a source of the kind `query` carries. */
export function queryFunction(source: unknown): QueryFunction | undefined {
  if (typeof source !== 'object' || source === null || !(ROWS in source)) return undefined;
  return source[ROWS] as QueryFunction;
}

function list(paths: string | string[]): string[] {
  return typeof paths === 'string' ? [paths] : paths;
}
