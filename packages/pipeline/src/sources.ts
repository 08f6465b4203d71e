import type { SourceSpec } from '@perennial/contract';

/** Carries the source's column names through the types; nothing at run time. */
declare const columns: unique symbol;

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

function list(paths: string | string[]): string[] {
  return typeof paths === 'string' ? [paths] : paths;
}
