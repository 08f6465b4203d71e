import { dirname } from 'node:path';
import { Engine, type Connection } from '../engine.ts';
import type { SourceColumn } from '../source-relation.ts';
import { globEscaped, literal } from '../sql.ts';
import { inputItems, type BatchColumns } from './batch-columns.ts';
import { translatingFileFaults } from './batch-faults.ts';

export interface ExaminedParquet {
  rows: number;
  /** Rows of each row group. */
  groups: number[];
  /** The types of the columns that are passed through, as DuckDB calls them. */
  keyTypes: string[];
}

/**
 * Looks at a Parquet file's footer: whether a batch can read it, and how many rows it has.
 *
 * @param file - `path` on the disk, and the name it was asked for by
 * @throws BatchInputInvalidError
 */
export async function examineParquet(
  file: { path: string; file: string },
  columns: BatchColumns,
): Promise<ExaminedParquet> {
  const engine = await Engine.open({ threads: 1, memoryLimit: '256MB', readable: [dirname(file.path)] });
  try {
    return await translatingFileFaults(file, async () => {
      const found = await describe(engine.main, parquetRelation(file.path));
      inputItems(file.file, found, columns);
      const groups = await rowGroups(engine.main, file.path);
      const rows = groups.reduce((sum, group) => sum + group, 0);
      return { rows, groups, keyTypes: columns.keys.map((key) => typeOf(found, key)) };
    });
  } finally {
    engine.close();
  }
}

/** Rows of each row group of a Parquet file. */
export async function rowGroups(connection: Connection, path: string): Promise<number[]> {
  const rows = await connection.rows<{ rows: bigint }>(
    `SELECT any_value(row_group_num_rows) AS rows FROM parquet_metadata(${literal(globEscaped(path))})
     GROUP BY row_group_id ORDER BY row_group_id`,
  );
  return rows.map((group) => Number(group.rows));
}

/** A Parquet file as a table expression, with the number of each row in it as `file_row_number`. */
export function parquetRelation(path: string): string {
  return `read_parquet(${literal(globEscaped(path))}, hive_partitioning = false, file_row_number = true)`;
}

export async function describe(connection: Connection, relation: string): Promise<SourceColumn[]> {
  const rows = await connection.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE FROM ${relation}`,
  );
  return rows.map(({ column_name, column_type }) => ({ name: column_name, type: column_type }));
}

function typeOf(found: readonly SourceColumn[], name: string): string {
  return found.find((column) => column.name === name)?.type ?? '';
}
