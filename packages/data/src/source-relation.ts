import type { FileSourceSpec } from '@perennial/contract';
import type { SourceFile } from './source-files.ts';
import { globEscaped, identifier, literal, literals } from './sql.ts';

/** A column of the source with DuckDB's name of its type. */
export interface SourceColumn {
  name: string;
  type: string;
}

/** Table that the lines a CSV reader cannot make rows of are recorded in. */
export const REJECTS = 'rejected_lines';

/**
 * The source as a table expression. Folder names like `year=2001` make no columns: the same files in another folder are the same rows.
 *
 * @param columns - what a look at the files found, which decides what types text files are read as; absent for the look itself
 */
export function sourceRelation(
  source: FileSourceSpec,
  files: readonly SourceFile[],
  columns?: readonly SourceColumn[],
): string {
  const paths = `[${literals(files.map(({ path }) => globEscaped(path)))}]`;
  switch (source.kind) {
    case 'parquet':
      return `read_parquet(${paths}, union_by_name = true, hive_partitioning = false)`;
    case 'csv':
      return `read_csv(${[paths, ...csvOptions(source, columns)].join(', ')})`;
    case 'json':
      return `read_json(${paths}, hive_partitioning = false, ${jsonOptions(columns)})`;
  }
}

function csvOptions(
  source: Extract<FileSourceSpec, { kind: 'csv' }>,
  columns: readonly SourceColumn[] | undefined,
): string[] {
  const types = columns === undefined ? source.types : typesOf(columns);
  const table = columns === undefined ? `look_${REJECTS}` : REJECTS;
  return [
    'hive_partitioning = false',
    `header = ${source.header}`,
    ...(source.delimiter === undefined ? [] : [`delim = ${literal(source.delimiter)}`]),
    ...(types === undefined ? [] : [`types = ${struct(types)}`]),
    'store_rejects = true',
    `rejects_table = '${table}'`,
    `rejects_scan = '${table}_scans'`,
    // Beyond so many a file is not damaged but something else.
    'rejects_limit = 100000',
  ];
}

/** Without columns JSON is read whole to find them, so that no row late in a file can have a type of its own. */
function jsonOptions(columns: readonly SourceColumn[] | undefined): string {
  if (columns === undefined) return 'union_by_name = true, sample_size = -1';
  return `columns = ${struct(typesOf(columns))}`;
}

function typesOf(columns: readonly SourceColumn[]): Record<string, string> {
  return Object.fromEntries(columns.map(({ name, type }) => [name, type]));
}

function struct(entries: Record<string, string>): string {
  return `{${Object.entries(entries)
    .map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
    .join(', ')}}`;
}
