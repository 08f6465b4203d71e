import { basename } from 'node:path';
import type { Connection } from './engine.ts';
import { SHAPE } from './author-sql.ts';
import { QueryFailedError, SourceInvalidError } from './errors.ts';
import { findSourceFiles, type SourceFile, type SourcePlace } from './source-files.ts';
import { sourceRelation, type SourceColumn } from './source-relation.ts';

/** A source that was found and looked at. */
export interface OpenSource {
  files: SourceFile[];
  columns: SourceColumn[];
  /** Table expression that reads all of it. */
  relation: string;
}

/**
 * Finds a source's files and the columns they have, and makes the empty table of that shape.
 *
 * @throws SourceInvalidError when a file is missing, empty or not what the source says it is
 */
export async function openSource(connection: Connection, place: SourcePlace): Promise<OpenSource> {
  const files = await findSourceFiles(connection, place);
  return translatingSourceErrors(place.pipeline, files, async () => {
    await connection.run(`CREATE TABLE ${SHAPE} AS FROM ${sourceRelation(place.source, files)} LIMIT 0`);
    const described = await connection.rows<{ column_name: string; column_type: string }>(
      `DESCRIBE ${SHAPE}`,
    );
    const columns = described.map(({ column_name, column_type }) => ({
      name: column_name,
      type: column_type,
    }));
    return { files, columns, relation: sourceRelation(place.source, files, columns) };
  });
}

/** What DuckDB says of a file that it cannot read. Other kinds (memory, interruption) are not the source's fault. */
const SOURCE_FAULTS = [
  'Invalid Input',
  'Invalid',
  'IO',
  'Conversion',
  'Binder',
  'Catalog',
  'Not implemented',
  'Serialization',
];

/** Runs what reads the source; what fails because of a file fails as the source's error, in the source's own file names. */
export async function translatingSourceErrors<Result>(
  pipeline: string,
  files: readonly SourceFile[],
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof QueryFailedError) || !SOURCE_FAULTS.includes(error.kind)) throw error;
    throw new SourceInvalidError(
      spokenFault(error.reason, files),
      { pipeline, field: 'data.source' },
      { cause: error },
    );
  }
}

function spokenFault(reason: string, files: readonly SourceFile[]): string {
  const named = files
    .reduce((text, { path, name }) => text.replaceAll(path, name), reason)
    .replace(/[.\s]+$/, '');
  if (files.some(({ name }) => named.includes(basename(name)))) return named;
  const names = files.slice(0, 5).map(({ name }) => `'${name}'`);
  return `${names.join(', ')}${files.length > 5 ? ', …' : ''} cannot be read: ${named}`;
}
