import { NotFoundError, type ColumnType, type Signature, type SourceSpec } from '@perennial/contract';
import {
  getModel,
  getModelVersion,
  predictionLogColumns,
  readPredictionLog,
  readStreamEvents,
  type Database,
} from '@perennial/storage';
import type { Connection } from '../engine.ts';
import { SourceInvalidError } from '../errors.ts';
import type { OpenRows } from '../open-files.ts';
import type { SourceJob } from '../open-source.ts';
import { stageInferredRows } from './inferred-rows.ts';
import { stageTextRows } from './text-rows.ts';

type PlatformDatabase = Pick<Database, 'orm' | 'connectionOptions'>;

/**
 * Stages the events of one of the platform's streams.
 *
 * @throws SourceInvalidError when there is none in the window, or values of a column do not go together
 */
export async function stageStream(
  connection: Connection,
  { stream }: Extract<SourceSpec, { kind: 'stream' }>,
  { spec, bounds, readers, signal }: SourceJob,
): Promise<OpenRows> {
  const { connectionOptions } = databaseOf(readers.database, spec.name);
  const { from, to } = bounds;
  const window = { stream, time: spec.data.time, from, to };
  return stageInferredRows(connection, {
    pipeline: spec.name,
    batches: readStreamEvents(connectionOptions, window, { signal }),
    noun: 'event',
    none: `the stream '${stream}' has no events from ${from.toISOString()} to ${to.toISOString()}`,
  });
}

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  text: 'VARCHAR',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
};

/**
 * Stages a model's predictions with their truth. The columns are those of its newest version.
 *
 * @throws SourceInvalidError when there is no such model
 */
export async function stagePredictionLog(
  connection: Connection,
  { model }: Extract<SourceSpec, { kind: 'predictionLog' }>,
  { spec, bounds, readers, signal }: SourceJob,
): Promise<OpenRows> {
  const database = databaseOf(readers.database, spec.name);
  const signature = await signatureOf(database, model, spec.name);
  const columns = predictionLogColumns(signature).map(({ name, type }) => ({
    name,
    type: DUCKDB_TYPES[type],
  }));
  const window = { model, signature, from: bounds.from, to: bounds.to };
  const batches = readPredictionLog(database.connectionOptions, window, { signal });
  return stageTextRows(connection, { pipeline: spec.name, columns, batches });
}

async function signatureOf({ orm }: PlatformDatabase, model: string, pipeline: string): Promise<Signature> {
  try {
    const { latestVersion } = await getModel(orm, model);
    return (await getModelVersion(orm, model, latestVersion)).signature;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const place = { pipeline, field: 'data.source.model' };
    throw new SourceInvalidError(`there is no version of a model '${model}' yet`, place, { cause: error });
  }
}

function databaseOf(database: PlatformDatabase | undefined, pipeline: string): PlatformDatabase {
  if (database !== undefined) return database;
  throw new SourceInvalidError('it can only be read on a platform', { pipeline, field: 'data.source' });
}
