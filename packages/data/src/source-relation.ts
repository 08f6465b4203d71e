import type { SourceSpec } from '@perennial/contract';
import { globEscaped, type SourceFile } from './source-files.ts';
import { identifier, literal, literals } from './sql.ts';

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
 * @param columns - what an earlier look found; JSON, which is read whole to find its types, is then not read whole again
 */
export function sourceRelation(
  source: SourceSpec,
  files: readonly SourceFile[],
  columns?: readonly SourceColumn[],
): string {
  const paths = `[${literals(files.map(({ path }) => globEscaped(path)))}]`;
  switch (source.kind) {
    case 'parquet':
      return `read_parquet(${paths}, union_by_name = true, hive_partitioning = false)`;
    case 'csv':
      return `read_csv(${[paths, ...csvOptions(source, columns === undefined)].join(', ')})`;
    case 'json':
      return `read_json(${paths}, hive_partitioning = false, ${jsonOptions(columns)})`;
  }
}

function csvOptions(source: Extract<SourceSpec, { kind: 'csv' }>, looking: boolean): string[] {
  const table = looking ? `look_${REJECTS}` : REJECTS;
  return [
    'hive_partitioning = false',
    `header = ${source.header}`,
    ...(source.delimiter === undefined ? [] : [`delim = ${literal(source.delimiter)}`]),
    ...(source.types === undefined ? [] : [`types = ${struct(source.types)}`]),
    'store_rejects = true',
    `rejects_table = '${table}'`,
    `rejects_scan = '${table}_scans'`,
    // Beyond so many a file is not damaged but something else.
    'rejects_limit = 100000',
  ];
}

function jsonOptions(columns: readonly SourceColumn[] | undefined): string {
  if (columns === undefined) return 'union_by_name = true, sample_size = -1';
  return `columns = ${struct(Object.fromEntries(columns.map(({ name, type }) => [name, type])))}`;
}

function struct(entries: Record<string, string>): string {
  return `{${Object.entries(entries)
    .map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
    .join(', ')}}`;
}
