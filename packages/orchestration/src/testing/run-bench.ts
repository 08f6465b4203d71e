import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdGenerator, ManualClock, parseId, type Reproduction, type Run } from '@perennial/contract';
import { binary, csv, definePipeline, mlp, notWorse, numeric, type ValidateInput } from '@perennial/pipeline';
import type { LoadedPipeline } from '@perennial/pipeline/load';
import { testSigning } from '@perennial/registry/testing';
import { FileArtifactStore, getReproduction, getRun, listRunEvents, type Database } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { PipelineCatalog } from '../pipeline-catalog.ts';
import { RunExecutor, type RunExecutorDependencies } from '../run-executor.ts';
import { ReproductionExecutor } from '../reproductions/reproduction-executor.ts';
import { ReproductionService } from '../reproductions/reproduction-service.ts';
import { RunProgressHub } from '../run-progress.ts';
import { RunService } from '../run-service.ts';
import { TriggerEngine } from '../triggers/trigger-engine.ts';
import { UnsteadyStore } from './unsteady-store.ts';

export const PIPELINE = 'visits';
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** Ten days of sixty visits each, of whom those that look at many pages buy, and some others. */
export function visits(): string {
  const rows = Array.from({ length: 600 }, (_, i) => {
    const at = new Date(Date.parse('2024-03-01T00:00:00Z') + i * 24 * 60_000).toISOString();
    const pages = (i * 7) % 20;
    return `${at},${pages},${pages + ((i * 13) % 17) > 18}`;
  });
  return ['at,pages,bought', ...rows].join('\n');
}

export type Validation = ValidateInput<string, 'auc' | 'logLoss' | 'accuracy' | 'brier'>;

/** What a candidate of the bench is asked, where a test asks nothing else. */
export const VALIDATION: Validation = { gate: notWorse({ metric: 'auc', margin: 0.05, replicates: 100 }) };

function pipeline(
  folder: string,
  {
    name = PIPELINE,
    file = 'visits.csv',
    codeDigest = DIGEST,
    validate = VALIDATION,
  }: { name?: string; file?: string; codeDigest?: string; validate?: Validation },
): LoadedPipeline {
  const { spec, functions } = definePipeline({
    name,
    data: { source: csv(file), time: 'at', window: { train: '7d', validation: '1d', test: '1d' } },
    label: binary('bought', { from: 'bought' }),
    features: { pages: numeric() },
    train: mlp({ hidden: [4], epochs: 5, batchSize: 32, learningRate: 0.05 }),
    validate,
  });
  return { file: join(folder, `${name}.pipeline.ts`), folder, spec, functions, codeDigest };
}

/** Everything that executes runs, on real data, a database and a store of its own; what a worker would be given from the queue is given by the test. */
export class RunBench {
  readonly clock = new ManualClock('2024-03-11T00:00:00Z');
  readonly ids = new IdGenerator(this.clock);
  readonly database: Database;
  readonly store: UnsteadyStore;
  readonly folder: string;
  runs: RunService;
  /** What the executors waited for between tries, in milliseconds. */
  readonly waited: number[] = [];
  readonly #signing = testSigning();
  readonly #test: TestDatabase;
  readonly #progress: RunProgressHub;
  #catalog: PipelineCatalog;

  private constructor(parts: {
    test: TestDatabase;
    store: UnsteadyStore;
    folder: string;
    progress: RunProgressHub;
    catalog: PipelineCatalog;
  }) {
    this.#test = parts.test;
    this.database = parts.test.database;
    this.store = parts.store;
    this.folder = parts.folder;
    this.#progress = parts.progress;
    this.#catalog = parts.catalog;
    const engine = new TriggerEngine({ ...this.#parts, catalog: this.#catalog });
    this.runs = new RunService({ ...this.#parts, engine, announce: true });
  }

  static async open(): Promise<RunBench> {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-runs-'));
    await writeFile(join(folder, 'visits.csv'), visits());
    const test = await createTestDatabase({ maxConnections: 8 });
    const { database } = test;
    const store = new UnsteadyStore(await FileArtifactStore.open({ folder: join(folder, 'artifacts') }));
    const on = { database, clock: new ManualClock('2024-03-11T00:00:00Z') };
    const pipelines = [pipeline(folder, {}), pipeline(folder, { name: 'broken', file: 'nowhere.csv' })];
    const catalog = await PipelineCatalog.of(pipelines, on);
    return new RunBench({ test, store, folder, catalog, progress: await RunProgressHub.open(database) });
  }

  get #parts() {
    return { database: this.database, clock: this.clock, ids: this.ids };
  }

  /** As a worker is that was started after the pipeline's file changed, or was removed. */
  async change(to: 'other code' | 'gone' | 'as it was'): Promise<void> {
    const codeDigest = to === 'other code' ? `sha256:${'1'.repeat(64)}` : DIGEST;
    await this.#load(to === 'gone' ? [] : [pipeline(this.folder, { codeDigest })]);
  }

  /** As a worker is whose pipeline asks other things of a candidate. */
  validate(validate: Validation): Promise<void> {
    return this.#load([pipeline(this.folder, { validate })]);
  }

  async #load(pipelines: LoadedPipeline[]): Promise<void> {
    this.#catalog = await PipelineCatalog.of(pipelines, this.#parts);
    const engine = new TriggerEngine({ ...this.#parts, catalog: this.#catalog });
    this.runs = new RunService({ ...this.#parts, engine, announce: true });
  }

  executor(changes: Partial<RunExecutorDependencies> = {}): RunExecutor {
    return new RunExecutor({
      ...this.#parts,
      artifacts: this.store,
      catalog: this.#catalog,
      progress: this.#progress,
      sources: {},
      workFolder: join(this.folder, 'work'),
      environment: process.env,
      openServers: null,
      worker: 'bench',
      platformVersion: '0.0.0',
      signer: this.#signing.signer,
      delay: async (milliseconds) => void this.waited.push(milliseconds),
      log: () => undefined,
      ...changes,
    });
  }

  /** Asks for a version to be made again. */
  async startReproduction(version: number): Promise<Reproduction> {
    return new ReproductionService(this.#parts).start({
      model: PIPELINE,
      version,
      by: 'test',
      origin: 'test',
    });
  }

  /** Executes a reproduction as a worker that got its job. */
  async reproduce(
    { id }: Reproduction,
    { signal = new AbortController().signal, attempt = 1 }: { signal?: AbortSignal; attempt?: number } = {},
  ): Promise<Reproduction> {
    const executor = new ReproductionExecutor({
      ...this.#parts,
      artifacts: this.store,
      catalog: this.#catalog,
      sources: {},
      workFolder: join(this.folder, 'work'),
      environment: process.env,
      log: () => undefined,
    });
    await executor.execute(id, { signal, attempt, lastAttempt: false });
    return getReproduction(this.database.orm, parseId('reproduction', id));
  }

  start(name = PIPELINE, { asOf, force = false }: { asOf?: string; force?: boolean } = {}): Promise<Run> {
    const trigger = { kind: 'request' as const, by: 'test' };
    const at = asOf === undefined ? undefined : new Date(asOf);
    return this.runs.start({ pipeline: name, trigger, asOf: at, force, origin: 'test' });
  }

  /** Executes a run as a worker that got its job. */
  async execute(run: Run, lastAttempt = false): Promise<Run> {
    await this.executor().execute(run.id, { signal: new AbortController().signal, lastAttempt });
    return this.read(run);
  }

  read({ id }: Pick<Run, 'id'>): Promise<Run> {
    return getRun(this.database.orm, parseId('run', id));
  }

  /** The run's events in short: `started`, `step-failed training`. */
  async events({ id }: Run): Promise<string[]> {
    const { items } = await listRunEvents(this.database.orm, parseId('run', id), { limit: 500 });
    return items.map(({ event }) => ('step' in event ? `${event.type} ${event.step}` : event.type));
  }

  async close(): Promise<void> {
    await this.#progress.close();
    await this.#test.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
