import { dirname, resolve } from 'node:path';
import { Engine } from './engine.ts';
import { QueryFailedError, SplitUnreadableError } from './errors.ts';
import { globEscaped, literal, literals } from './sql.ts';

export interface SeenRowsOptions {
  /** The pipeline's name, for the error. */
  pipeline: string;
  /** A split's Parquet file on the local disk. */
  testFile: string;
  /** Parquet files of the splits that a model was trained on. */
  trainedOn: readonly string[];
}

/**
 * Finds the rows of a test split that are in any of the splits a model was trained on, by their hashes: 1 for each row of the file, in order,
 * that is, 0 for the others. A row that the test split has twice is looked up twice and is no reason to be seen.
 *
 * Of the two sides DuckDB keeps the smaller in memory, and streams the other past it.
 *
 * @throws SplitUnreadableError when a file is no split, or has no hashes
 */
export async function seenRows({ pipeline, testFile, trainedOn }: SeenRowsOptions): Promise<Uint8Array> {
  const test = resolve(testFile);
  const trained = trainedOn.map((file) => resolve(file));
  const folders = new Set([test, ...trained].map((file) => dirname(file)));
  const engine = await Engine.open({ threads: 1, memoryLimit: '512MB', readable: [...folders] });
  try {
    return await maskOf(engine, test, trained);
  } catch (error) {
    if (!(error instanceof QueryFailedError)) throw error;
    throw new SplitUnreadableError(pipeline, error.reason, { cause: error });
  } finally {
    engine.close();
  }
}

async function maskOf(engine: Engine, test: string, trained: readonly string[]): Promise<Uint8Array> {
  const paths = (files: readonly string[]) => `[${literals(files.map(globEscaped))}]`;
  await engine.main.run(
    `CREATE TABLE asked AS SELECT __row AS hash, file_row_number AS place
     FROM read_parquet(${literal(globEscaped(test))}, file_row_number = true)`,
  );
  const { n } = await engine.main.row<{ n: bigint }>('SELECT count(*) AS n FROM asked');
  const mask = new Uint8Array(Number(n));
  if (trained.length === 0) return mask;
  const seen = await engine.main.stream(
    `SELECT place FROM asked WHERE hash IN (SELECT __row FROM read_parquet(${paths(trained)}))`,
  );
  for (
    let chunk = await seen.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await seen.fetchChunk()
  ) {
    for (const place of chunk.getColumnValues(0)) mask[Number(place)] = 1;
  }
  return mask;
}
