import type { PipelineSpec } from '@perennial/contract';
import type { QueryFunction } from '@perennial/pipeline';
import { SHAPE } from './author-sql.ts';
import type { Connection } from './engine.ts';
import { fetchObjects } from './object-files.ts';
import { openFiles, translatingSourceErrors, type OpenRows } from './open-files.ts';
import { stagePredictionLog, stageStream } from './rows/platform-rows.ts';
import { stagePostgres } from './rows/postgres-rows.ts';
import { stageQuery } from './rows/query-rows.ts';
import { findSourceFiles, type SourceFile } from './source-files.ts';
import type { SourceReaders } from './source-readers.ts';
import { identifier } from './sql.ts';
import type { WindowBounds } from './window.ts';

/** Whose source is opened, for which window, and through what. */
export interface SourceJob {
  spec: PipelineSpec;
  /** Absolute path that the source's paths are relative to. */
  folder: string;
  /** Where files may be put; the engine may read them there. */
  work: string;
  bounds: WindowBounds;
  readers: SourceReaders;
  /** The pipeline's query function, if it has one. */
  query?: QueryFunction | undefined;
  signal?: AbortSignal | undefined;
}

/** A source that was found and looked at. */
export interface OpenSource extends OpenRows {
  files: SourceFile[];
  /** Whether rows outside of the window have been left where they are, so that nothing is known of them. */
  windowed: boolean;
}

/**
 * Finds a source's files, or stages its rows where it has none, and makes the empty table of the columns they have.
 *
 * @throws SourceInvalidError when it is not there, empty or not what the source says it is
 * @throws ConnectionUnknownError, ConnectionUnavailableError, QueryFunctionError; the storage's errors; the signal's reason
 */
export async function openSource(connection: Connection, job: SourceJob): Promise<OpenSource> {
  const opened = await openAny(connection, job);
  const shape = opened.columns.map(({ name, type }) => `${identifier(name)} ${type}`).join(', ');
  await translatingSourceErrors(job.spec.name, opened.files, () =>
    connection.run(`CREATE TABLE ${SHAPE} (${shape})`),
  );
  return opened;
}

async function openAny(connection: Connection, job: SourceJob): Promise<OpenSource> {
  const { source } = job.spec.data;
  const pipeline = job.spec.name;
  switch (source.kind) {
    case 'parquet':
    case 'csv':
    case 'json': {
      const place = { pipeline, source, folder: job.folder };
      const files = await findSourceFiles(connection, place);
      return { ...(await openFiles(connection, place, files)), files, windowed: false };
    }
    case 'objectStore': {
      const fetched = await fetchObjects(source, job);
      const place = { pipeline, source: fetched.source, folder: job.work };
      const opened = await openFiles(connection, place, fetched.files);
      return { ...opened, files: fetched.files, windowed: false };
    }
    case 'postgres':
      return staged(await stagePostgres(connection, source, job));
    case 'stream':
      return staged(await stageStream(connection, source, job));
    case 'predictionLog':
      return staged(await stagePredictionLog(connection, source, job));
    case 'query':
      return staged(await stageQuery(connection, job));
  }
}

function staged(rows: OpenRows): OpenSource {
  return { ...rows, files: [], windowed: true };
}
