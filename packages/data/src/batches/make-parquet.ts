import { dirname } from 'node:path';
import type { ColumnType } from '@perennial/contract';
import { Engine } from '../engine.ts';
import { BatchInputInvalidError } from '../errors.ts';
import type { SourceColumn } from '../source-relation.ts';
import { globEscaped, identifier, literal } from '../sql.ts';
import type { BatchColumns } from './batch-columns.ts';
import { translatingFileFaults } from './batch-faults.ts';
import { describe } from './examine-parquet.ts';
import { copyToParquet } from './parquet-copy.ts';

export type TextFormat = 'csv' | 'ndjson';

export interface ParquetMaking {
  /** On the disk, and the name it was asked for by. */
  source: { path: string; file: string };
  format: TextFormat | 'parquet';
  columns: BatchColumns;
  /** The file to make, in an existing folder that nothing else is in. */
  target: string;
  /** What the made file says of itself. */
  properties: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/** What a text's values are read as; a time without a zone is UTC. */
const TEXT_TYPES: Record<ColumnType, string> = {
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  text: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
};

/**
 * Makes a Parquet file of what a batch reads of another file, so that chunks of it can be read without what stands before them. Streams: memory does not grow with the file.
 * Input columns of text files are read as what the model takes, the others as what they look like over the whole file.
 *
 * @throws BatchInputInvalidError when a column is missing, or a value is not what its column must be
 */
export async function makeParquet({
  source,
  format,
  columns,
  target,
  properties,
  signal,
}: ParquetMaking): Promise<void> {
  const engine = await Engine.open({
    threads: 2,
    memoryLimit: '512MB',
    folder: dirname(target),
    readable: [dirname(source.path)],
  });
  const stop = () => engine.interrupt();
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    await translatingFileFaults(source, async () => {
      const path = literal(globEscaped(source.path));
      const found = await describe(engine.main, relationOf(format, path));
      const names = [...new Set([...columns.inputs.map(({ name }) => name), ...columns.keys])];
      const missing = names.find((name) => !found.some((column) => column.name === name));
      if (missing !== undefined) throw noColumn(source.file, missing, found);
      const relation = relationOf(format, path, typesOf(found, columns));
      const query = `SELECT ${names.map(identifier).join(', ')} FROM ${relation}`;
      await engine.main.run(copyToParquet(query, { target, properties, compression: 'quick' }));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    engine.close();
  }
}

function noColumn(file: string, name: string, found: readonly SourceColumn[]): BatchInputInvalidError {
  const there = found.map((column) => column.name).join(', ');
  return new BatchInputInvalidError(file, `there is no column '${name}'; there are ${there.slice(0, 2_000)}`);
}

function relationOf(format: ParquetMaking['format'], path: string, types?: SourceColumn[]): string {
  switch (format) {
    case 'parquet':
      return `read_parquet(${path}, hive_partitioning = false)`;
    case 'csv':
      // The whole file is looked at, so that no late row can have a type of its own.
      return `read_csv(${path}, hive_partitioning = false, header = true, sample_size = -1${typesOption('types', types)})`;
    case 'ndjson':
      return `read_json(${path}, hive_partitioning = false, format = 'newline_delimited', sample_size = -1${typesOption('columns', types)})`;
  }
}

function typesOption(name: string, types: SourceColumn[] | undefined): string {
  if (types === undefined) return '';
  const entries = types.map((column) => `${identifier(column.name)}: ${literal(column.type)}`);
  return `, ${name} = {${entries.join(', ')}}`;
}

/** JSON's reader wants all columns, and CSV's takes all. */
function typesOf(found: readonly SourceColumn[], { inputs }: BatchColumns): SourceColumn[] {
  const given = new Map(inputs.map(({ name, type }) => [name, TEXT_TYPES[type]]));
  return found.map(({ name, type }) => ({ name, type: given.get(name) ?? type }));
}
