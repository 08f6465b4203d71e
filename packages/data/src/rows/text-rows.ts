import type { TextRow } from '@perennial/storage';
import { duckdb } from '../duckdb.ts';
import type { Connection } from '../engine.ts';
import { QueryFailedError, SourceInvalidError } from '../errors.ts';
import type { OpenRows } from '../open-files.ts';
import type { SourceColumn } from '../source-relation.ts';
import { SOURCE_ROWS, appendRows, createRowTable } from './row-table.ts';

/** Rows whose columns are known, and whose values come as PostgreSQL writes them. */
export interface TextRows {
  pipeline: string;
  columns: readonly SourceColumn[];
  batches: AsyncIterable<TextRow[]>;
}

/**
 * Stages rows of PostgreSQL. DuckDB makes the values of the texts, which it reads as PostgreSQL writes them.
 *
 * @throws SourceInvalidError naming a column with a value that DuckDB has no place for
 */
export async function stageTextRows(
  connection: Connection,
  { pipeline, columns, batches }: TextRows,
): Promise<OpenRows> {
  await createRowTable(connection, columns);
  for await (const rows of batches) {
    const values = columns.map((_, index) => rows.map((row) => row[index] ?? null));
    await appendRows(
      connection,
      values.map((column) => ({ type: duckdb.VARCHAR, values: column })),
    ).catch((error: unknown) => rethrowMisfit(error, { pipeline, columns }));
  }
  return { columns: [...columns], relation: SOURCE_ROWS };
}

/** DuckDB says only the number of the column, and calls any text that it cannot cast a type mismatch. */
function rethrowMisfit(error: unknown, { pipeline, columns }: Pick<TextRows, 'pipeline' | 'columns'>): never {
  if (!(error instanceof QueryFailedError)) throw error;
  const [, index] = /type mismatch in AppendDataChunk.* for column (\d+)/.exec(error.reason) ?? [];
  const column = columns[Number(index)];
  if (column === undefined) throw error;
  const problem = `the column '${column.name}' has a value that is none of the type ${column.type}`;
  throw new SourceInvalidError(problem, { pipeline, field: 'data.source' }, { cause: error });
}
