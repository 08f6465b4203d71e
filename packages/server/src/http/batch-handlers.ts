import { ConflictError, parseId, type Clock, type IdGenerator } from '@perennial/contract';
import { BatchService } from '@perennial/orchestration';
import {
  getBatch,
  getDatasetVersion,
  listBatches,
  type ArtifactStore,
  type Database,
} from '@perennial/storage';
import { requireModel } from '../access/model-scope.ts';
import type { Config } from '../config/config.ts';
import type { Handlers } from './route-registration.ts';
import { asksForJson, storedFile } from './stored-file.ts';

export interface BatchHandlerDependencies {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
  ids: IdGenerator;
  batchPlaces: Config['batches'];
}

/** Files that are scored, and what came of them. */
export function batchHandlers({ batchPlaces, ...dependencies }: BatchHandlerDependencies) {
  const { database, artifacts } = dependencies;
  const db = database.orm;
  const batches = new BatchService({ ...dependencies, hasBucket: batchPlaces.bucket !== null });
  return {
    startBatch: async ({ params, body }, { principal, origin }) => {
      // Who is held to models may not read another's rows by way of a batch.
      if (body.input.kind === 'dataset' && principal.models !== null)
        requireModel(principal, (await getDatasetVersion(db, body.input.dataset)).manifest.pipeline);
      return batches.start({ ...params, ...body, by: principal.name, origin });
    },
    listBatches: ({ query }) => listBatches(db, query),
    getBatch: ({ params }) => getBatch(db, parseId('batch', params.batch)),
    cancelBatch: ({ params }, { principal, origin }) =>
      batches.cancel(params.batch, { by: principal.name, origin }),
    getBatchOutput: async ({ params }, { accept }) => {
      const { id, model, state, output } = await getBatch(db, parseId('batch', params.batch));
      if (output === null) throw new ConflictError(`The batch '${id}' is ${state}: it has no output.`);
      if (asksForJson(accept)) return output;
      return storedFile(artifacts, { ...output, name: `${model}-${id}.parquet` });
    },
  } satisfies Partial<Handlers>;
}
