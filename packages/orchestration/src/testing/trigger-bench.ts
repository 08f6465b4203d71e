import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { IdGenerator, ManualClock, parseId, type Run, type TriggerRecord } from '@perennial/contract';
import { csv, definePipeline, binary, mlp, notWorse, numeric, type PipelineInput } from '@perennial/pipeline';
import type { LoadedPipeline } from '@perennial/pipeline/load';
import {
  appendRunEvent,
  listRuns,
  listTriggers,
  takeRun,
  transaction,
  type Database,
} from '@perennial/storage';
import { createTestDatabase } from '@perennial/storage/testing';
import { BackfillService } from '../backfills/backfill-service.ts';
import { PipelineCatalog } from '../pipeline-catalog.ts';
import { TriggerEngine } from '../triggers/trigger-engine.ts';

/** What of a pipeline decides when it runs, and its code and folder where they matter. */
export type TimedPipeline = Pick<PipelineInput, 'schedule' | 'triggers' | 'limits'> & {
  name: string;
  folder?: string;
  source?: PipelineInput['data']['source'];
  codeDigest?: string;
};

/** A small pipeline that runs at the given times. */
export function timedPipeline({ name, folder, source, codeDigest, ...when }: TimedPipeline): LoadedPipeline {
  const { spec, functions } = definePipeline({
    name,
    ...when,
    data: {
      source: source ?? csv('rows.csv'),
      time: 'at',
      window: { train: '7d', validation: '1d', test: '1d' },
    },
    label: binary('late', { from: 'late' }),
    features: { distance: numeric() },
    train: mlp({ hidden: [2], epochs: 1 }),
    validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }) },
  });
  const digest = codeDigest ?? `sha256:${'0'.repeat(64)}`;
  return { file: `${name}.pipeline.ts`, folder: folder ?? tmpdir(), spec, functions, codeDigest: digest };
}

export type RunEnd = 'succeeded' | 'failed';

interface Bench {
  database: Database;
  clock: ManualClock;
  catalog: PipelineCatalog;
  drop: () => Promise<void>;
}

/** Everything that decides about runs, on a database of its own and a clock that stands still; nothing executes the runs. */
export class TriggerBench {
  readonly database: Database;
  readonly clock: ManualClock;
  readonly catalog: PipelineCatalog;
  readonly ids: IdGenerator;
  readonly drop: () => Promise<void>;

  private constructor({ database, clock, catalog, drop }: Bench) {
    this.database = database;
    this.clock = clock;
    this.catalog = catalog;
    this.ids = new IdGenerator(clock);
    this.drop = drop;
  }

  static async open(pipelines: TimedPipeline[], now: string): Promise<TriggerBench> {
    const test = await createTestDatabase({ maxConnections: 8 });
    const { database } = test;
    const clock = new ManualClock(now);
    const catalog = await PipelineCatalog.of(pipelines.map(timedPipeline), { database, clock });
    return new TriggerBench({ database, clock, catalog, drop: () => test.drop() });
  }

  /** As the platform looks after it was started anew with these pipeline files. */
  async restarted(pipelines: TimedPipeline[]): Promise<TriggerBench> {
    const { database, clock, drop } = this;
    const catalog = await PipelineCatalog.of(pipelines.map(timedPipeline), { database, clock });
    return new TriggerBench({ database, clock, catalog, drop });
  }

  get engine(): TriggerEngine {
    return new TriggerEngine(this);
  }

  /** What schedulers and services are made of. */
  get parts() {
    const { database, clock, ids, catalog, engine } = this;
    const log = ({ message, error }: { message: string; error: unknown }): never => {
      throw new Error(message, { cause: error });
    };
    return { database, clock, ids, catalog, engine, log };
  }

  get backfills(): BackfillService {
    return new BackfillService(this.parts);
  }

  /** Newest first, five hundred at most. */
  async runs(): Promise<Run[]> {
    return (await listRuns(this.database.orm, { limit: 500 })).items;
  }

  /** Newest first, five hundred at most. */
  async triggers(): Promise<TriggerRecord[]> {
    return (await listTriggers(this.database.orm, { limit: 500 })).items;
  }

  async count(table: 'runs' | 'triggers'): Promise<number> {
    const { sql } = this.database;
    const [row] = await sql<{ count: number }[]>`select count(*)::int as count from ${sql(table)}`;
    return row?.count ?? 0;
  }

  /** Starts a run as a worker does. */
  async startRun(run: string): Promise<void> {
    const taken = { runId: parseId('run', run), worker: 'bench', at: this.clock.now() };
    await transaction(this.database, (tx) => takeRun(tx, taken));
  }

  /** Trains for so many minutes within a run that was started, which moves the clock. */
  async train(run: string, minutes: number): Promise<void> {
    const runId = parseId('run', run);
    const inputDigest = `sha256:${randomUUID()}`;
    const step = 'training' as const;
    await this.#append(runId, { type: 'step-started', step, attempt: 1, inputDigest });
    this.clock.advance(minutes * 60_000);
    await this.#append(runId, { type: 'step-succeeded', step, reused: false, output: {} });
  }

  /** Ends a run that was started. */
  async endRun(run: string, end: RunEnd): Promise<void> {
    const error = { code: 'data-invalid', message: 'There are no rows.' };
    const success = { model: 'model', version: 1, verdict: 'pass' as const, live: true };
    const event =
      end === 'succeeded' ? ({ type: end, ...success } as const) : ({ type: end, error } as const);
    await this.#append(parseId('run', run), event);
  }

  async #append(runId: string, event: Parameters<typeof appendRunEvent>[1]['event']): Promise<void> {
    await transaction(this.database, (tx) => appendRunEvent(tx, { runId, at: this.clock.now(), event }));
  }

  /** Kinds of the jobs that wait in the queue. */
  async jobs(): Promise<{ kind: string; series: string | null }[]> {
    return this.database.sql<{ kind: string; series: string | null }[]>`
      select task_identifier as kind, queue_name as series from graphile_worker.jobs order by id`;
  }
}
