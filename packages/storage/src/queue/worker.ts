import { EventEmitter } from 'node:events';
import type { Runner, TaskList, WorkerEvents } from 'graphile-worker';
import { JOB_QUEUES, type JobKind, type JobPayload } from '@perennial/contract';
import type { Database } from '../database/connection.ts';
import { parsePayload } from './enqueue.ts';
import { BEATS_PER_LEASE, LEASE_MILLISECONDS, WorkerHeartbeats } from './heartbeat.ts';
import type { QueueLog } from './logger.ts';
import { openQueuePool } from './queue-pool.ts';
import { lookTwice } from './second-look.ts';

export interface JobContext {
  /** Fires when the work should end: the worker stops, or was taken for dead and its jobs were given to others. */
  signal: AbortSignal;
  /** 1 at the first try. */
  attempt: number;
  /** Whether a failure now is final. */
  lastAttempt: boolean;
}

/**
 * Does the work of a job. It may run more than once for the same job, also twice at the same time after a cut connection: it must be idempotent and check
 * that the work is still its own before it writes. A job whose handler throws is tried again later.
 */
export type JobHandler<Kind extends JobKind> = (
  payload: JobPayload<Kind>,
  context: JobContext,
) => Promise<void>;
export type JobHandlers = { [Kind in JobKind]?: JobHandler<Kind> };

export interface StartWorkerOptions {
  database: Database;
  handlers: JobHandlers;
  /** Jobs at the same time. @default 1 */
  concurrency?: number;
  /** Takes only the jobs of these queues (`JOB_QUEUES`). @default all that have a handler */
  queues?: readonly string[];
  /** How long running jobs have after `stop()` before their signal fires. @default 5000 */
  stopMilliseconds?: number;
  /**
   * Silence after which a worker is taken for dead and its jobs are given to others; it shows that it lives five times as often. The same in all
   * processes on one database. @default 10000
   */
  leaseMilliseconds?: number;
  /** @default silent */
  log?: QueueLog;
}

export interface Worker {
  /** Takes no more jobs, lets running ones end, fires their signal when that takes too long, and lets go of those that do not heed it for ten seconds. */
  stop(): Promise<void>;
}

/** For jobs that are due later; those due now are announced by the database. */
const POLL_MILLISECONDS = 1_000;

const STOP_MILLISECONDS = 5_000;
const HEED_MILLISECONDS = 10_000;

/**
 * Without batches graphile-worker 0.17 neither waits for the statement that records a job's end when it stops, so that finished jobs ran again, nor catches its
 * error, which ended the process when the database went away at that moment.
 */
const RECORD_RESULTS = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };

/** Pauses between attempts to run again after the database went away. */
const FIRST_PAUSE_MILLISECONDS = 100;
const LONGEST_PAUSE_MILLISECONDS = 10_000;

/**
 * Begins to take jobs. A database that goes away is waited for.
 * @throws DatabaseUnavailableError when it is not there to begin with
 */
export async function startWorker(options: StartWorkerOptions): Promise<Worker> {
  const lease = options.leaseMilliseconds ?? LEASE_MILLISECONDS;
  const worker = new QueueWorker(options, await WorkerHeartbeats.forThisProcess(options.database.sql, lease));
  await worker.start();
  return worker;
}

class QueueWorker implements Worker {
  readonly #options: StartWorkerOptions;
  readonly #heartbeats: WorkerHeartbeats;
  readonly #log: QueueLog;
  /** Fires on the way down and when the worker's jobs were given away; renewed in the latter case. */
  #lost = new AbortController();
  #runner: Runner | undefined;
  #name: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #supervision: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #wake: () => void = () => undefined;

  constructor(options: StartWorkerOptions, heartbeats: WorkerHeartbeats) {
    this.#options = options;
    this.#heartbeats = heartbeats;
    this.#log = options.log ?? (() => undefined);
  }

  async start(): Promise<void> {
    await this.#heartbeats.freeJobsOfTheDead();
    const first = await this.#run();
    const interval = (this.#options.leaseMilliseconds ?? LEASE_MILLISECONDS) / BEATS_PER_LEASE;
    this.#timer = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#beat());
    }, interval).unref();
    this.#supervision = this.#supervise(first);
  }

  get #stopMilliseconds(): number {
    return this.#options.stopMilliseconds ?? STOP_MILLISECONDS;
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#wake();
    const patience = this.#stopMilliseconds + HEED_MILLISECONDS;
    const kill = setTimeout(
      () => void this.#runner?.kill('The worker stops.').catch(() => undefined),
      patience,
    );
    // A runner that has ended by itself refuses to be stopped; the supervision knows of it.
    await this.#runner?.stop().catch(() => undefined);
    await this.#supervision;
    clearTimeout(kill);
    await this.#beating;
    if (this.#name !== undefined)
      await this.#heartbeats.free([this.#name]).catch(this.#report('could not sign off'));
  }

  /** Runs for ever: a runner that ends, since it lost the database in the middle of something, is followed by another. */
  async #supervise(runner: RunningRunner): Promise<void> {
    let current: RunningRunner | undefined = runner;
    for (let failures = 0; ;) {
      if (current !== undefined) {
        failures = 0;
        await current.ended;
      }
      if (this.#stopping !== undefined) return;
      await this.#pause(failures++);
      if (this.#stopping !== undefined) return;
      current = await this.#run().catch(this.#report('cannot take jobs'));
    }
  }

  async #run(): Promise<RunningRunner> {
    const { database, concurrency = 1 } = this.#options;
    // One connection to listen and one to fetch beside those of the jobs.
    const onError = this.#report('lost a connection');
    const pool = openQueuePool(database.connectionOptions, { maxConnections: concurrency + 2, onError });
    const events = new EventEmitter() as WorkerEvents;
    lookTwice(events);
    const created = new Promise<string>((resolve) =>
      events.once('pool:create', ({ workerPool }) => resolve(workerPool.id)),
    );
    try {
      // When they are needed: most processes that use the storage take no jobs, and these take 0.1 s of their start.
      const [{ run }, { queueLogger }] = await Promise.all([
        import('graphile-worker'),
        import('./logger.ts'),
      ]);
      const runner = await run({
        pgPool: pool,
        taskList: this.#tasks(),
        concurrency,
        events,
        noHandleSignals: true,
        pollInterval: POLL_MILLISECONDS,
        gracefulShutdownAbortTimeout: this.#stopMilliseconds,
        logger: queueLogger(this.#log),
        preset: { worker: RECORD_RESULTS },
      });
      this.#runner = runner;
      const ended = runner.promise.catch(this.#report('stopped taking jobs')).finally(() => pool.end());
      if (this.#stopping !== undefined) void runner.stop().catch(() => undefined);
      await this.#signOn(await created);
      return { ended: ended.then(() => undefined) };
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  /** What the runner before this one still holds is nobody's now. */
  async #signOn(name: string): Promise<void> {
    const former = this.#name;
    this.#name = name;
    try {
      await this.#heartbeats.begin(name);
      if (former !== undefined) await this.#heartbeats.free([former]);
    } catch (error) {
      this.#report('could not sign on')(error);
    }
  }

  async #beat(): Promise<void> {
    const name = this.#name;
    if (name === undefined) return;
    try {
      if (!(await this.#heartbeats.beat(name))) await this.#taken(name);
      const dead = await this.#heartbeats.freeJobsOfTheDead();
      if (dead.length > 0) this.#log('warning', `Freed the jobs of dead workers: ${dead.join(', ')}.`);
    } catch (error) {
      this.#report('missed a heartbeat')(error);
    }
  }

  /** Others have our jobs now: what still runs here must end, and later jobs need a new name. */
  async #taken(name: string): Promise<void> {
    this.#log('warning', 'This worker was silent for so long that its jobs were given to others.');
    this.#lost.abort();
    this.#lost = new AbortController();
    await this.#heartbeats.begin(name);
  }

  #tasks(): TaskList {
    const { handlers, queues } = this.#options;
    const kinds = Object.keys(handlers) as JobKind[];
    const taken = kinds.filter((kind) => queues === undefined || queues.includes(JOB_QUEUES[kind]));
    return Object.fromEntries(taken.map((kind) => [kind, this.#task(kind)]));
  }

  #task<Kind extends JobKind>(kind: Kind): NonNullable<TaskList[string]> {
    return async (payload, { job, abortSignal }) => {
      const handler: JobHandler<Kind> | undefined = this.#options.handlers[kind];
      const signal = AbortSignal.any([abortSignal, this.#lost.signal]);
      const context = { signal, attempt: job.attempts, lastAttempt: job.attempts >= job.max_attempts };
      await handler?.(parsePayload(kind, payload), context);
    };
  }

  #pause(failures: number): Promise<void> {
    const milliseconds = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** failures, LONGEST_PAUSE_MILLISECONDS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #report(what: string): (error: unknown) => undefined {
    return (error) => {
      this.#log('error', `The worker ${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    };
  }
}

interface RunningRunner {
  /** Settles when the runner takes no more jobs, whatever the reason. */
  ended: Promise<void>;
}
