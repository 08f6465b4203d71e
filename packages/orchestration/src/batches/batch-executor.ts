import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  PerennialError,
  describeError,
  formatId,
  parseId,
  type Clock,
  type Digest,
} from '@perennial/contract';
import { BatchInputInvalidError, FileDigests, joinOutputs, sameState, scoreRows } from '@perennial/data';
import {
  beginBatch,
  completeChunk,
  endBatch,
  findBatchChunk,
  getBatchRow,
  getModelVersion,
  holdArtifacts,
  listBatchChunks,
  planBatch,
  transaction,
  type ArtifactStore,
  type BatchChunkRow,
  type BatchOutcome,
  type BatchPart,
  type BatchRow,
  type Database,
  type JobContext,
  type JobHandlers,
} from '@perennial/storage';
import { BatchesLostError } from '../errors.ts';
import { batchFile } from './batch-folder.ts';
import { partsOf, type BatchPlaces } from './batch-parts.ts';
import { HeldModels } from './held-models.ts';

export interface BatchExecutorDependencies {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
  places: BatchPlaces;
  /** Where files are made before the artifact store takes them. */
  workFolder: string;
  log: (line: { batch: string; message: string; error: unknown }) => void;
}

/** How often a job is begun at most: it may well be the work itself that ends the process. */
const MAX_BEGINNINGS = 5;

interface BatchJob {
  batch: string;
  id: string;
  context: JobContext;
}

/**
 * Does the work of batches. Every step may come twice: what is made goes to the artifact store under its digest, and the first that puts it on record is right. What others made of the same is
 * taken away again.
 */
export class BatchExecutor {
  readonly #dependencies: BatchExecutorDependencies;
  readonly #digests = new FileDigests();
  readonly #models: HeldModels;

  constructor(dependencies: BatchExecutorDependencies) {
    this.#dependencies = dependencies;
    this.#models = new HeldModels(dependencies.artifacts);
  }

  get handlers(): JobHandlers {
    return {
      'batch.start': ({ batch }, context) => this.#run(batch, context, (job) => this.#start(job)),
      'batch.chunk': ({ batch, chunk }, context) =>
        this.#run(batch, context, (job) => this.#chunk(job, chunk)),
      'batch.finish': ({ batch }, context) => this.#run(batch, context, (job) => this.#finish(job)),
    };
  }

  /** @throws what may pass by itself (the database away, a lock), so that the queue tries again */
  async #run(batch: string, context: JobContext, work: (job: BatchJob) => Promise<void>): Promise<void> {
    const job = { batch, id: parseId('batch', batch), context };
    if (context.attempt > MAX_BEGINNINGS) return this.#fail(job, new BatchesLostError(batch, MAX_BEGINNINGS));
    try {
      await work(job);
    } catch (error) {
      // A stopping worker leaves it as it is: the next one does it anew.
      if (context.signal.aborted) throw error;
      this.#dependencies.log({ batch, message: 'batch failed', error });
      const transient = error instanceof PerennialError && error.transient;
      if (transient && !context.lastAttempt && context.attempt < MAX_BEGINNINGS) throw error;
      await this.#fail(job, error);
    }
  }

  async #start({ batch, id, context }: BatchJob): Promise<void> {
    const { database, artifacts, places, clock } = this.#dependencies;
    const row = await beginBatch(database.orm, id, clock.now());
    if (row === undefined) return;
    const { signature } = await getModelVersion(database.orm, row.model, row.version);
    const { input, keys } = row;
    const parts = await this.#inFolder(id, (folder) =>
      partsOf({
        ...{ batch, input, keys, signature, places, db: database.orm, artifacts, folder },
        digests: this.#digests,
        signal: context.signal,
      }),
    );
    context.signal.throwIfAborted();
    const made = madeBy(parts);
    const planned = await transaction(database, async (tx) => {
      await holdArtifacts(tx, artifacts, made);
      return planBatch(tx, id, parts);
    });
    if (!planned) await this.#releaseUnless(id, made);
  }

  async #chunk({ id, context: { signal } }: BatchJob, chunk: number): Promise<void> {
    const { database, artifacts, clock } = this.#dependencies;
    const batch = await getBatchRow(database.orm, id);
    if (batch.state !== 'running') return this.#release(id);
    const planned = await findBatchChunk(database.orm, id, chunk);
    if (planned === undefined || planned.output !== null) return;
    const { digest, bytes } = await this.#inFolder(id, async (folder) => {
      const target = join(folder, 'scored.parquet');
      await this.#score(batch, planned, { target, signal });
      signal.throwIfAborted();
      return artifacts.putFile(target);
    });
    const completed = await transaction(database, async (tx) => {
      await holdArtifacts(tx, artifacts, [digest]);
      return completeChunk(tx, { batch: id, chunk, output: digest, bytes, at: clock.now() });
    });
    if (!completed) await this.#releaseUnless(id, [digest]);
  }

  async #score(
    batch: BatchRow,
    { chunk, part }: BatchChunkRow,
    { target, signal }: { target: string; signal: AbortSignal },
  ): Promise<void> {
    const located = await this.#locate(part);
    const properties = { ...saidOf(batch), 'perennial.chunk': String(chunk) };
    await this.#models.use(batch.artifact, (model) =>
      scoreRows({
        source: { path: located.path, file: part.file },
        from: part.from,
        rows: part.rows,
        signature: model.signature,
        keys: batch.keys,
        score: (rows) => model.run(rows),
        target,
        properties,
        signal,
      }),
    );
    await located.check();
  }

  /** The file of a part on the local disk, and what makes sure afterwards that it stayed as it was. */
  async #locate({ place, file, digest }: BatchPart): Promise<{ path: string; check: () => Promise<void> }> {
    const { artifacts, places } = this.#dependencies;
    if (place !== 'folder')
      return { path: await artifacts.fetchFile(digest), check: () => Promise.resolve() };
    const found = await batchFile(places.folder, file);
    if ((await this.#digests.of(found)) !== digest) throw changed(file);
    const check = async () => {
      if (!sameState(found, await batchFile(places.folder, file))) throw changed(file);
    };
    return { path: found.path, check };
  }

  async #finish({ id, context: { signal } }: BatchJob): Promise<void> {
    const { database, artifacts } = this.#dependencies;
    const batch = await getBatchRow(database.orm, id);
    if (batch.state !== 'running') return this.#release(id);
    const chunks = await listBatchChunks(database.orm, id);
    const outputs = chunks.map(({ output }) => output).filter((output) => output !== null);
    if (outputs.length < chunks.length) return;
    const { digest, bytes } = await this.#join(batch, outputs, signal);
    signal.throwIfAborted();
    const output = { digest, bytes, rows: batch.rows ?? 0 };
    await transaction(database, async (tx) => {
      await holdArtifacts(tx, artifacts, [digest]);
      await this.#end(tx, id, { state: 'completed', output });
    });
    await this.#release(id);
  }

  async #join(batch: BatchRow, outputs: readonly Digest[], signal: AbortSignal) {
    const { artifacts } = this.#dependencies;
    const files: string[] = [];
    for (const output of outputs) files.push(await artifacts.fetchFile(output));
    return this.#inFolder(batch.id, async (folder) => {
      const target = join(folder, 'output.parquet');
      await joinOutputs({ files, target, properties: saidOf(batch), signal });
      return artifacts.putFile(target);
    });
  }

  async #fail({ id }: BatchJob, error: unknown): Promise<void> {
    await this.#end(this.#dependencies.database.orm, id, { state: 'failed', error: describeError(error) });
    await this.#release(id);
    await this.#removeFoldersOf(id);
  }

  async #end(db: Database['orm'] | Parameters<typeof endBatch>[0], id: string, outcome: BatchOutcome) {
    await endBatch(db, id, { ...outcome, endedAt: this.#dependencies.clock.now() });
  }

  /** Takes away what a batch that has ended left in the store on its way. Each of these files names the batch, so that nobody else has the same. */
  async #release(id: string): Promise<void> {
    const { database, artifacts } = this.#dependencies;
    const { output } = await getBatchRow(database.orm, id);
    const chunks = await listBatchChunks(database.orm, id);
    const made = madeBy(chunks.map(({ part }) => part));
    const scored = chunks.map((chunk) => chunk.output).filter((digest) => digest !== null);
    for (const digest of [...made, ...scored]) if (digest !== output?.digest) await artifacts.delete(digest);
  }

  /** Takes away what this job made and another put on record, unless it made the very same. */
  async #releaseUnless(id: string, digests: readonly Digest[]): Promise<void> {
    const { database, artifacts } = this.#dependencies;
    const { state, output } = await getBatchRow(database.orm, id);
    const chunks = state === 'running' ? await listBatchChunks(database.orm, id) : [];
    const kept = new Set([output?.digest, ...chunks.flatMap((chunk) => [chunk.output, chunk.part.digest])]);
    for (const digest of digests) if (!kept.has(digest)) await artifacts.delete(digest);
  }

  async #inFolder<Result>(id: string, work: (folder: string) => Promise<Result>): Promise<Result> {
    const { workFolder } = this.#dependencies;
    await mkdir(workFolder, { recursive: true });
    const folder = await mkdtemp(join(workFolder, prefixOf(id)));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** What workers that were killed left behind. Only once it has ended: until then another worker may be at it too. */
  async #removeFoldersOf(id: string): Promise<void> {
    const { workFolder } = this.#dependencies;
    const names = await readdir(workFolder).catch(() => []);
    const own = names.filter((name) => name.startsWith(prefixOf(id)));
    await Promise.all(own.map((name) => rm(join(workFolder, name), { recursive: true, force: true })));
  }
}

function prefixOf(id: string): string {
  return `batch-${id}-`;
}

function madeBy(parts: readonly BatchPart[]): Digest[] {
  return [...new Set(parts.filter(({ place }) => place === 'made').map(({ digest }) => digest))];
}

function changed(file: string): BatchInputInvalidError {
  return new BatchInputInvalidError(file, 'it has changed since the batch began');
}

/** What an output says of itself: the file is the record of what was predicted. */
function saidOf({ id, model, version, artifact }: BatchRow): Record<string, string> {
  return {
    'perennial.batch': formatId('batch', id),
    'perennial.model': model,
    'perennial.version': String(version),
    'perennial.artifact': artifact,
  };
}
