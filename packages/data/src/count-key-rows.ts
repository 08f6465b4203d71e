import { dirname, resolve } from 'node:path';
import { Engine } from './engine.ts';
import { QueryFailedError, SplitUnreadableError } from './errors.ts';
import { globEscaped, identifier, literal } from './sql.ts';

export interface KeyRowsQuestion {
  /** The pipeline's name, for the error. */
  pipeline: string;
  /** A Parquet file of a dataset version, on the local disk: a split, or its quarantine. */
  file: string;
  /** The column that names the entity: `__key` in a split, the source's own name in quarantine. */
  column: string;
  key: string;
}

/**
 * How many rows of a file are about the entity of that key; 0 where it has no such column. Keys are compared as text. The file is read by its row groups,
 * and of it the one column.
 * @throws SplitUnreadableError when it is no Parquet file
 */
export async function countKeyRows({ pipeline, file, column, key }: KeyRowsQuestion): Promise<number> {
  const path = resolve(file);
  const engine = await Engine.open({ threads: 1, memoryLimit: '512MB', readable: [dirname(path)] });
  try {
    const source = `read_parquet(${literal(globEscaped(path))})`;
    const columns = await engine.main.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM ${source}`);
    // DuckDB's names know no case.
    if (!columns.some(({ column_name: name }) => name.toLowerCase() === column.toLowerCase())) return 0;
    const { n } = await engine.main.row<{ n: bigint }>(
      `SELECT count(*) AS n FROM ${source} WHERE CAST(${identifier(column)} AS VARCHAR) = ${literal(key)}`,
    );
    return Number(n);
  } catch (error) {
    if (!(error instanceof QueryFailedError)) throw error;
    throw new SplitUnreadableError(pipeline, error.reason, { cause: error });
  } finally {
    engine.close();
  }
}
