import {
  InvalidRequestError,
  RemovedError,
  parseId,
  type Batch,
  type BatchRequest,
  type Clock,
  type IdGenerator,
  type Issue,
  type ModelVersionDetail,
} from '@perennial/contract';
import { batchColumnNames } from '@perennial/data';
import { NoChampionError } from '@perennial/serving';
import {
  artifactRemovedAt,
  cancelBatch,
  createBatch,
  getDatasetVersion,
  getModel,
  getModelVersion,
  holdArtifacts,
  queueBatchEnd,
  recordChange,
  transaction,
  type ArtifactStore,
  type Database,
  type Executor,
  type Requester,
} from '@perennial/storage';
import { checkBatchPath } from './batch-folder.ts';

export interface BatchServiceDependencies {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
  ids: IdGenerator;
  /** Whether there is a bucket that batches may read. */
  hasBucket: boolean;
}

export interface NewBatchRequest extends BatchRequest, Requester {
  model: string;
}

/** Asks for batches, and ends them. */
export class BatchService {
  readonly #dependencies: BatchServiceDependencies;

  constructor(dependencies: BatchServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Asks for a batch. Any version whose artifact is kept may score one; its files are looked for when the batch begins.
   * @throws NotFoundError, RemovedError, NoChampionError, InvalidRequestError
   */
  async start({ by, origin, model, ...request }: NewBatchRequest): Promise<Batch> {
    const { database, artifacts, clock, ids, hasBucket } = this.#dependencies;
    const { input, keys } = request;
    checkInput(request, hasBucket);
    return transaction(database, async (tx) => {
      const version = await this.#versionOf(tx, model, request.version);
      checkKeys(keys, batchColumnNames(version.signature.output));
      if (input.kind === 'dataset') await requireDataset(tx, input.dataset);
      await holdArtifacts(tx, artifacts, [version.artifact]);
      const at = clock.now();
      const batch = await createBatch(tx, {
        id: ids.next(),
        model,
        version: version.version,
        artifact: version.artifact,
        input,
        keys,
        requestedBy: by,
        createdAt: at,
      });
      const details = { batch: batch.id, version: version.version, input };
      recordChange(tx, { at, by, action: 'batch.started', subject: `model:${model}`, details, origin });
      return batch;
    });
  }

  /** Ends a batch that has not ended. @throws NotFoundError, TransitionRefusedError */
  async cancel(batch: string, { by, origin }: Requester): Promise<Batch> {
    const { database, clock } = this.#dependencies;
    const id = parseId('batch', batch);
    return transaction(database, async (tx) => {
      const at = clock.now();
      const cancelled = await cancelBatch(tx, id, at);
      // What its chunks have left in the store goes.
      await queueBatchEnd(tx, id);
      const subject = `model:${cancelled.model}`;
      recordChange(tx, { at, by, action: 'batch.cancelled', subject, details: { batch }, origin });
      return cancelled;
    });
  }

  async #versionOf(tx: Executor, model: string, asked: number | undefined): Promise<ModelVersionDetail> {
    const number = asked ?? (await getModel(tx, model)).championVersion;
    if (number === null) throw new NoChampionError(model);
    const version = await getModelVersion(tx, model, number);
    const { artifact } = version;
    if (!(await this.#dependencies.artifacts.has(artifact)))
      throw new RemovedError('artifact', artifact, (await artifactRemovedAt(tx, artifact)) ?? null);
    return version;
  }
}

async function requireDataset(tx: Executor, dataset: string): Promise<void> {
  const { removedAt } = await getDatasetVersion(tx, dataset);
  if (removedAt !== undefined) throw new RemovedError('dataset', dataset, new Date(removedAt));
}

/** What can be told of an input without looking at it. */
function checkInput({ input }: BatchRequest, hasBucket: boolean): void {
  switch (input.kind) {
    case 'files':
      return checkBatchPath(input.path);
    case 'objectStore':
      if (hasBucket) return;
      throw invalid('input.kind', 'this installation has no bucket that batches may read');
    case 'dataset':
      return;
  }
}

/** Parquet's readers tell columns apart whatever the case of their letters, or do not. */
function checkKeys(keys: readonly string[], answers: readonly string[]): void {
  const taken = new Set(answers);
  for (const [index, key] of keys.entries()) {
    const name = key.toLowerCase();
    if (taken.has(name)) throw invalid(`keys.${index}`, `the output has a column '${name}' already`);
    taken.add(name);
  }
}

function invalid(path: string, message: string): InvalidRequestError {
  const issues: Issue[] = [{ path, message }];
  return new InvalidRequestError('The request for a batch is not valid.', issues);
}
