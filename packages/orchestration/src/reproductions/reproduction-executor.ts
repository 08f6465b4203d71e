import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError, describeError, parseId, type Reproduction } from '@perennial/contract';
import { FileDigests } from '@perennial/data';
import {
  beginReproduction,
  endReproduction,
  getReproduction,
  type JobContext,
  type ReproductionOutcome,
} from '@perennial/storage';
import { NotReproducibleError } from '../errors.ts';
import type { RunExecutorDependencies } from '../run-executor.ts';
import { makeAgain, type MakingContext } from './make-again.ts';
import { ScratchStore } from './scratch-store.ts';

export type ReproductionExecutorDependencies = Pick<
  RunExecutorDependencies,
  'database' | 'artifacts' | 'clock' | 'ids' | 'catalog' | 'sources' | 'workFolder' | 'environment'
> & {
  log: (line: { reproduction: string; message: string; error: unknown }) => void;
};

/** How often one is begun at most: it may well be the work itself that ends the process. */
const MAX_BEGINNINGS = 5;

/**
 * Makes versions again and says how they came out. Nothing is registered, and nothing stays in the artifact store, so a job that comes twice does no harm: both make
 * the same, and the first that is done ends it.
 */
export class ReproductionExecutor {
  readonly #dependencies: ReproductionExecutorDependencies;

  constructor(dependencies: ReproductionExecutorDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws what may pass by itself (the database away, a lock), so that the queue tries again */
  async execute(reproduction: string, job: JobContext): Promise<void> {
    const { database } = this.#dependencies;
    const id = parseId('reproduction', reproduction);
    if (!(await beginReproduction(database.orm, id))) return;
    const asked = await getReproduction(database.orm, id);
    if (job.attempt > MAX_BEGINNINGS) return this.#end(id, { state: 'failed', error: tooOften(asked) });
    try {
      const differences = await this.#inFolder(id, (folder) => this.#make(asked, { folder, job }));
      await this.#end(
        id,
        differences.length === 0 ? { state: 'identical' } : { state: 'different', differences },
      );
    } catch (error) {
      // A stopping worker leaves it as it is: the next one begins it anew.
      if (job.signal.aborted) throw error;
      this.#dependencies.log({ reproduction, message: 'reproduction failed', error });
      const transient = error instanceof PerennialError && error.transient;
      const last = job.lastAttempt || job.attempt === MAX_BEGINNINGS;
      if (transient && !last) throw error;
      await this.#end(id, { state: 'failed', error: describeError(error) });
    }
  }

  async #end(id: string, outcome: ReproductionOutcome): Promise<void> {
    const { database, clock } = this.#dependencies;
    await endReproduction(database.orm, id, { ...outcome, endedAt: clock.now() });
    await this.#removeFoldersOf(id);
  }

  async #make(asked: Reproduction, { folder, job }: { folder: string; job: JobContext }) {
    const { artifacts, log: _, ...rest } = this.#dependencies;
    const context: MakingContext = {
      ...rest,
      artifacts: await ScratchStore.open(join(folder, 'artifacts'), artifacts),
      workFolder: folder,
      // Of its own: what another build remembered of a file might hide that it is another by now.
      digests: new FileDigests(),
      servers: null,
      trainer: null,
      fence: 0,
      announce: false,
      signal: job.signal,
      delay: () => Promise.resolve(),
      publish: () => undefined,
      report: () => undefined,
    };
    return makeAgain(context, asked);
  }

  async #inFolder<Result>(id: string, work: (folder: string) => Promise<Result>): Promise<Result> {
    const { workFolder } = this.#dependencies;
    await mkdir(workFolder, { recursive: true });
    const folder = await mkdtemp(join(workFolder, `${prefixOf(id)}`));
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
  return `reproduction-${id}-`;
}

function tooOften({ model, version }: Reproduction) {
  const reason = `It was begun ${MAX_BEGINNINGS} times, and each time its worker was stopped or died before the end.`;
  return describeError(new NotReproducibleError(`${model}@${version}`, reason));
}
