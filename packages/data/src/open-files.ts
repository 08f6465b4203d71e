import { basename } from 'node:path';
import type { Connection } from './engine.ts';
import { columnTypeOf } from './column-types.ts';
import { QueryFailedError, SourceInvalidError } from './errors.ts';
import type { FilePlace, SourceFile } from './source-files.ts';
import { sourceRelation, type SourceColumn } from './source-relation.ts';

/** Rows that can be read: what columns they have, and the table expression that reads all of them. */
export interface OpenRows {
  columns: SourceColumn[];
  relation: string;
}

/**
 * Looks at a source's files.
 *
 * @throws SourceInvalidError when one is not what the source says it is, or none has a row
 */
export async function openFiles(
  connection: Connection,
  place: FilePlace,
  files: readonly SourceFile[],
): Promise<OpenRows> {
  return translatingSourceErrors(place.pipeline, files, async () => {
    const columns = await sourceColumns(connection, place, files);
    const relation = sourceRelation(place.source, files, columns);
    if (place.source.kind !== 'csv' && !(await hasRows(connection, relation))) throw noRows(place.pipeline);
    return { columns, relation };
  });
}

async function hasRows(connection: Connection, relation: string): Promise<boolean> {
  return (await connection.rows(`SELECT 1 FROM ${relation} LIMIT 1`)).length > 0;
}

function noRows(pipeline: string): SourceInvalidError {
  return new SourceInvalidError('its files have no rows', { pipeline, field: 'data.source' });
}

async function sourceColumns(
  connection: Connection,
  { pipeline, source }: FilePlace,
  files: readonly SourceFile[],
): Promise<SourceColumn[]> {
  if (source.kind !== 'csv') return describe(connection, sourceRelation(source, files));
  // DuckDB would look at a few of the files, and match their columns by position.
  const looks: Look[] = [];
  for (const file of files)
    looks.push({ file, columns: await describe(connection, sourceRelation(source, [file])) });
  const [first, ...others] = looks;
  for (const other of others) if (first !== undefined) refuseOtherColumns(pipeline, first, other);
  // A file of a header alone says nothing of its columns' types, though DuckDB calls them text.
  const filled: Look[] = [];
  for (const look of looks)
    if (await hasRows(connection, sourceRelation(source, [look.file]))) filled.push(look);
  const [sample] = filled;
  if (sample === undefined) throw noRows(pipeline);
  return sample.columns.map(({ name }) => ({
    name,
    type: commonType(filled.map((look) => typeIn(look.columns, name))),
  }));
}

async function describe(connection: Connection, relation: string): Promise<SourceColumn[]> {
  const rows = await connection.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE FROM ${relation}`,
  );
  return rows.map(({ column_name, column_type }) => ({ name: column_name, type: column_type }));
}

interface Look {
  file: SourceFile;
  columns: SourceColumn[];
}

function refuseOtherColumns(pipeline: string, first: Look, other: Look): void {
  const lacks = (a: Look, b: Look) =>
    a.columns.find(({ name }) => typeIn(b.columns, name) === undefined)?.name;
  const missing = lacks(first, other);
  const extra = lacks(other, first);
  if (missing === undefined && extra === undefined) return;
  const problem =
    missing === undefined
      ? `the file '${other.file.name}' has a column '${extra ?? ''}' that '${first.file.name}' lacks`
      : `the file '${other.file.name}' lacks the column '${missing}' that '${first.file.name}' has`;
  throw new SourceInvalidError(problem, { pipeline, field: 'data.source' });
}

function typeIn(columns: readonly SourceColumn[], name: string): string | undefined {
  return columns.find((column) => column.name === name)?.type;
}

/** The type that a column has in all files: its own where they agree, DOUBLE where all are numbers, text otherwise. */
function commonType(types: readonly (string | undefined)[]): string {
  const [first = 'VARCHAR', ...others] = [...new Set(types)];
  if (others.length === 0) return first;
  return types.every((type) => type !== undefined && columnTypeOf(type) === 'number') ? 'DOUBLE' : 'VARCHAR';
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
  if (files.length === 0) return named;
  if (files.some(({ name }) => named.includes(basename(name)))) return named;
  const names = files.slice(0, 5).map(({ name }) => `'${name}'`);
  return `${names.join(', ')}${files.length > 5 ? ', …' : ''} cannot be read: ${named}`;
}
