import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  LONGEST_TIMER_MILLISECONDS,
  LeaseLostError,
  PerennialError,
  describeError,
  formatId,
  parseId,
  type Clock,
  type IdGenerator,
} from '@perennial/contract';
import { FileDigests, type SourceReaders } from '@perennial/data';
import { ChampionMovedError, type Registration, type ReleaseContext } from '@perennial/registry';
import {
  digestOfJson,
  getRunRow,
  takeRun,
  transaction,
  type ArtifactStore,
  type Database,
  type RunRow,
} from '@perennial/storage';
import { TrainerReserve } from '@perennial/training';
import type { ArtifactServers } from '@perennial/validation';
import { WorkersLostError } from './errors.ts';
import { announceRun } from './openlineage/announce.ts';
import type { PipelineCatalog } from './pipeline-catalog.ts';
import type { RunProgressHub } from './run-progress.ts';
import { append, appendFenced, runStep } from './step-runner.ts';
import { dataStep } from './steps/data-step.ts';
import { requireGoldenSets } from './steps/golden-sets.ts';
import { prepareRegistration, type RegistrationInput } from './steps/registration-step.ts';
import type { RunContext } from './steps/step.ts';
import { trainingInput, trainingStep } from './steps/training-step.ts';
import { findChampion, validationStep } from './steps/validation-step.ts';

export interface RunExecutorDependencies {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
  ids: IdGenerator;
  catalog: PipelineCatalog;
  progress: RunProgressHub;
  /** What sources that are no files are read through. */
  sources: SourceReaders;
  /** Where runs keep their temporary files. */
  workFolder: string;
  /** The platform's variables; processes that run author's code see few of them. */
  environment: RunContext['environment'];
  /** Opens what starts, for one run, the processes in which a candidate's file is served for its examination; null where none can be started. */
  openServers: (() => ArtifactServers) | null;
  /** Whether an OpenLineage receiver is told of runs; the same in all processes of an installation. @default false */
  announce?: boolean;
  /** Names this process in run events. */
  worker: string;
  platformVersion: string;
  /** Signs the versions that go live by their policy. */
  signer: ReleaseContext['signer'];
  /** Waits between tries. @default the machine's timer */
  delay?: RunContext['delay'];
  log: (line: { run: string; message: string; error?: unknown }) => void;
}

/** How often a run compares anew because the champion moved under it, before it is left to the queue's retries. */
const MAX_COMPARISONS = 5;

/** How often a run is begun at most; below the queue's 25 attempts, after which nobody would be left to end it. */
const MAX_BEGINNINGS = 20;

/** Executes runs, from their first unfinished step on. */
export class RunExecutor {
  readonly #dependencies: RunExecutorDependencies;
  readonly #digests = new FileDigests();
  readonly #active = new Map<string, AbortController>();

  constructor(dependencies: RunExecutorDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Executes a run to its end. A failure of the run's own making (bad data, bad code, a training process that died) ends the run as failed and
   * is no error here.
   * @throws what may pass by itself (the database away, a lock), so that the queue tries again
   */
  async execute(
    run: string,
    { signal, lastAttempt }: { signal: AbortSignal; lastAttempt: boolean },
  ): Promise<void> {
    const id = parseId('run', run);
    const row = await getRunRow(this.#dependencies.database.orm, id);
    if (row.state !== 'queued' && row.state !== 'running') return;
    const controller = new AbortController();
    this.#active.set(id, controller);
    try {
      await this.#take(row, { signal: AbortSignal.any([signal, controller.signal]), lastAttempt });
    } finally {
      // After a cut connection the queue may give the same run to this process twice.
      if (this.#active.get(id) === controller) this.#active.delete(id);
      this.#dependencies.progress.forget(run);
    }
  }

  /** Takes the run, so that whoever had it before writes nothing any more, and executes it in a folder of its own. */
  async #take(
    row: RunRow,
    { signal, lastAttempt }: { signal: AbortSignal; lastAttempt: boolean },
  ): Promise<void> {
    const { database, clock, worker, announce = false } = this.#dependencies;
    const taken = { runId: row.id, worker, at: clock.now() };
    // Read anew: a trigger that was merged into the run while it waited has moved the instant that it looks from.
    const { fence, run } = await transaction(database, async (tx) => {
      const fence = await takeRun(tx, taken);
      if (announce && fence === 1) await announceRun(tx, row.id, 'started');
      return { fence, run: await getRunRow(tx, row.id) };
    });
    await this.#removeFoldersOf(run.id);
    const workFolder = join(this.#dependencies.workFolder, `${run.id}-${fence}`);
    const context = this.#context(run, { workFolder, signal, fence });
    if (fence > MAX_BEGINNINGS) return giveUp(context);
    try {
      await mkdir(workFolder, { recursive: true });
      await this.#attempt(context, lastAttempt);
    } finally {
      context.trainer?.close();
      await context.servers?.close();
      await rm(workFolder, { recursive: true, force: true });
    }
  }

  /** What workers that were killed left behind. Whoever had the run before can write nothing of it any more. */
  async #removeFoldersOf(id: string): Promise<void> {
    const { workFolder } = this.#dependencies;
    const names = await readdir(workFolder).catch(() => []);
    const own = names.filter((name) => name.startsWith(`${id}-`));
    await Promise.all(own.map((name) => rm(join(workFolder, name), { recursive: true, force: true })));
  }

  /** Stops a run that this process executes: somebody cancelled it. */
  cancel(id: string): void {
    this.#active.get(id)?.abort();
  }

  async #attempt(context: RunContext, lastAttempt: boolean): Promise<void> {
    try {
      await this.#runSteps(context);
    } catch (error) {
      const run = formatId('run', context.run.id);
      const { state } = await getRunRow(context.database.orm, context.run.id);
      if (state !== 'running' || error instanceof LeaseLostError) return;
      // A stopping worker leaves the run as it is: the next one takes it up.
      if (context.signal.aborted) throw error;
      const transient =
        (error instanceof PerennialError && error.transient) || error instanceof ChampionMovedError;
      this.#dependencies.log({ run, message: 'run failed', error });
      if (transient && !lastAttempt) throw error;
      await append(context, { type: 'failed', error: describeError(error) });
    }
  }

  async #runSteps(context: RunContext): Promise<void> {
    await requireGoldenSets(context);
    const data = await runStep(context, dataStep, null);
    const training = await runStep(context, trainingStep, await trainingInput(context, data));
    for (let comparison = 1; ; comparison++) {
      const champion = await findChampion(context);
      const validation = await runStep(context, validationStep, { data, training, champion });
      try {
        await this.#register(context, { data, training, validation });
        return;
      } catch (error) {
        if (!(error instanceof ChampionMovedError) || comparison === MAX_COMPARISONS) throw error;
      }
    }
  }

  /** The version, its release and the end of the run are one transaction. */
  async #register(context: RunContext, input: RegistrationInput): Promise<void> {
    const { database, run } = context;
    const { platformVersion, signer } = this.#dependencies;
    const write = await prepareRegistration({ ...context, platformVersion, signer }, input);
    const inputDigest = digestOfJson({ run: run.id, gate: input.validation.report });
    await transaction(database, async (tx) => {
      const step = 'registration' as const;
      await appendFenced(tx, context, { type: 'step-started', step, attempt: 1, inputDigest });
      const registered: Registration = await write(tx);
      const output = { ...registered };
      const { version, verdict, live } = registered;
      await appendFenced(tx, context, { type: 'step-succeeded', step, reused: false, output });
      await appendFenced(tx, context, { type: 'succeeded', model: run.pipeline, version, verdict, live });
    });
    context.publish('registration', { done: 1, message: 'registered' });
  }

  #context(run: RunRow, own: { workFolder: string; signal: AbortSignal; fence: number }): RunContext {
    const { progress, environment, delay = systemDelay, announce = false } = this.#dependencies;
    const edgeId = formatId('run', run.id);
    return {
      ...this.#dependencies,
      digests: this.#digests,
      ...own,
      servers: this.#dependencies.openServers?.() ?? null,
      trainer: new TrainerReserve({ folder: own.workFolder, environment }),
      run,
      delay,
      announce,
      publish: (step, { done, message, training }) =>
        progress.publish({ run: edgeId, step, done, message, log: training?.type === 'log' }),
    };
  }
}

async function giveUp(context: RunContext): Promise<void> {
  const error = new WorkersLostError(formatId('run', context.run.id), MAX_BEGINNINGS);
  await append(context, { type: 'failed', error: describeError(error) });
}

function systemDelay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return setTimeout(Math.min(milliseconds, LONGEST_TIMER_MILLISECONDS), undefined, { signal });
}
