import { PerennialError, describeError, formatId, parseId, type Clock } from '@perennial/contract';
import { KeyCondition } from '@perennial/data';
import {
  beginPrecomputation,
  dropPrecomputed,
  endPrecomputation,
  entityRanges,
  entityRowsBetween,
  findChunkToScore,
  getModelVersion,
  getPrecomputationRow,
  saveChunk,
  transaction,
  type ChunkOutcome,
  type EntityRow,
  type JobContext,
  type JobHandlers,
  type KeyRange,
  type PrecomputationRow,
} from '@perennial/storage';
import { NothingToPrecomputeError, PrecomputationLostError } from '../errors.ts';
import { loadVersion, type VersionSources } from './load-version.ts';
import { scoreRows } from './score-rows.ts';

export interface PrecomputationExecutorDependencies extends VersionSources {
  clock: Clock;
  log: (line: { precomputation: string; message: string; error?: unknown }) => void;
  /**
   * Entities of one chunk, which one worker holds in memory.
   * @default 20000
   */
  chunkRows?: number;
}

const CHUNK_ROWS = 20_000;

/** How often a job is begun at most: it may well be the work itself that ends the process. */
const MAX_BEGINNINGS = 8;

/**
 * Computes answers before they are asked for: splits the entities into chunks, scores each in a job of its own, on any worker, and puts all into use with the last. A job that comes
 * twice does no harm.
 */
export class PrecomputationExecutor {
  readonly #dependencies: PrecomputationExecutorDependencies;

  constructor(dependencies: PrecomputationExecutorDependencies) {
    this.#dependencies = dependencies;
  }

  /** What workers do for the jobs of precomputations. */
  get handlers(): JobHandlers {
    return {
      'precomputation.start': ({ precomputation }, job) => this.start(precomputation, job),
      'precomputation.chunk': ({ precomputation, chunk }, job) => this.chunk(precomputation, chunk, job),
    };
  }

  /** @throws what may pass by itself, so that the queue tries again */
  async start(precomputation: string, job: JobContext): Promise<void> {
    const { database, clock } = this.#dependencies;
    const id = parseId('precomputation', precomputation);
    const row = await getPrecomputationRow(database.orm, id);
    if (row.state !== 'queued') return;
    await this.#try(id, job, async () => {
      const ranges = await this.#ranges(row, job.signal);
      await transaction(database, (tx) => beginPrecomputation(tx, { id, ranges, at: clock.now() }));
    });
  }

  /** @throws what may pass by itself, so that the queue tries again */
  async chunk(precomputation: string, chunk: number, job: JobContext): Promise<void> {
    const { database, clock, log } = this.#dependencies;
    const id = parseId('precomputation', precomputation);
    const found = await findChunkToScore(database.orm, { id, chunk });
    const outcome =
      found === undefined
        ? 'gone'
        : await this.#try(id, job, async (): Promise<ChunkOutcome> => {
            const scored = await this.#score(found, job.signal);
            return saveChunk(database, { id, chunk, ...scored, at: clock.now() });
          });
    if (outcome === 'done' || outcome === undefined) return;
    if (outcome !== 'gone') log({ precomputation, message: `precomputation is ${outcome}` });
    await dropPrecomputed(database, { now: clock.now(), signal: job.signal });
  }

  /** All entities in chunks; of a condition, the chunks that have any for which it holds. @throws NothingToPrecomputeError */
  async #ranges({ model, version, keys }: PrecomputationRow, signal: AbortSignal): Promise<KeyRange[]> {
    const { database, chunkRows = CHUNK_ROWS } = this.#dependencies;
    const all = await entityRanges(database.orm, model, chunkRows);
    if (all.length === 0) throw new NothingToPrecomputeError(model, null);
    if (keys === null) return all;
    const { signature } = await getModelVersion(database.orm, model, version);
    const condition = await KeyCondition.open({ model, sql: keys, columns: signature.inputs });
    const ranges: KeyRange[] = [];
    try {
      for (const range of all) {
        signal.throwIfAborted();
        const rows = await condition.matching(await entityRowsBetween(database.orm, { model, ...range }));
        if (rows.length > 0) ranges.push({ ...range, rows: rows.length });
      }
    } finally {
      condition.close();
    }
    if (ranges.length === 0) throw new NothingToPrecomputeError(model, keys);
    return ranges;
  }

  async #score(
    { precomputation: row, fromKey, toKey }: NonNullable<Awaited<ReturnType<typeof findChunkToScore>>>,
    signal: AbortSignal,
  ) {
    const { database } = this.#dependencies;
    const inference = await loadVersion(row, this.#dependencies);
    try {
      const rows = await entityRowsBetween(database.orm, { model: row.model, fromKey, toKey });
      const { inputs } = inference.signature;
      const wanted =
        row.keys === null ? rows : await pick(rows, { model: row.model, sql: row.keys, columns: inputs });
      return await scoreRows(inference, wanted, signal);
    } finally {
      await inference.release();
    }
  }

  /** Does a job's work; a failure that does not pass by itself, or has not in so many tries, ends the precomputation. */
  async #try<Result>(id: string, job: JobContext, work: () => Promise<Result>): Promise<Result | undefined> {
    const precomputation = formatId('precomputation', id);
    const { log } = this.#dependencies;
    try {
      if (job.attempt > MAX_BEGINNINGS) throw new PrecomputationLostError(precomputation, MAX_BEGINNINGS);
      return await work();
    } catch (error) {
      // A stopping worker leaves it as it is: the next one begins it anew.
      if (job.signal.aborted) throw error;
      log({ precomputation, message: 'precomputation failed', error });
      const transient = error instanceof PerennialError && error.transient;
      if (transient && !job.lastAttempt && job.attempt < MAX_BEGINNINGS) throw error;
      await this.#fail(id, error);
      return undefined;
    }
  }

  async #fail(id: string, error: unknown): Promise<void> {
    const { database, clock } = this.#dependencies;
    await endPrecomputation(database.orm, id, {
      state: 'failed',
      error: describeError(error),
      at: clock.now(),
    });
  }
}

async function pick(
  rows: readonly EntityRow[],
  options: Parameters<typeof KeyCondition.open>[0],
): Promise<EntityRow[]> {
  const condition = await KeyCondition.open(options);
  try {
    return await condition.matching(rows);
  } finally {
    condition.close();
  }
}
