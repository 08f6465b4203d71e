import {
  DAY_MILLISECONDS,
  InvalidRequestError,
  TransitionRefusedError,
  formatId,
  parseId,
  type Backfill,
} from '@perennial/contract';
import {
  createBackfill,
  getBackfill,
  lockBackfill,
  newestBackfillRun,
  queueAdvance,
  recordChange,
  transaction,
  updateBackfill,
  type AuditDraft,
  type BackfillRow,
  type Executor,
  type Requester,
} from '@perennial/storage';
import type { TriggerEngine, TriggerEngineDependencies } from '../triggers/trigger-engine.ts';

export interface BackfillServiceDependencies extends TriggerEngineDependencies {
  engine: TriggerEngine;
}

export interface BackfillRequest extends Requester {
  pipeline: string;
  /** First and last day, `YYYY-MM-DD`, both included. */
  from: string;
  to: string;
  force: boolean;
}

/** Who goes on with a backfill between its runs. */
const SCHEDULER: Requester = { by: 'scheduler', origin: 'scheduler' };

/** Days that one backfill may have: ten years. */
const MOST_DAYS = 3_660;

/** Runs a pipeline once for each day of a stretch, in order. */
export class BackfillService {
  readonly #dependencies: BackfillServiceDependencies;

  constructor(dependencies: BackfillServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws NotFoundError when no such pipeline is loaded, InvalidRequestError when the days are no stretch */
  async start({ pipeline, from, to, force, by, origin }: BackfillRequest): Promise<Backfill> {
    const { database, clock, ids, catalog } = this.#dependencies;
    catalog.get(pipeline);
    requireStretch(from, to);
    const id = ids.next();
    return transaction(database, async (tx) => {
      await createBackfill(tx, {
        id,
        pipeline,
        firstDay: from,
        lastDay: to,
        force,
        state: 'running',
        nextDay: from,
        done: 0,
        reason: null,
        by,
        createdAt: clock.now(),
      });
      await queueAdvance(tx, id);
      const details = { pipeline, from, to, force };
      this.#audit(tx, id, { action: 'backfill.started', by, origin, details });
      return getBackfill(tx, id);
    });
  }

  /**
   * Goes on with a stopped backfill at the day it stopped at.
   * @throws NotFoundError, TransitionRefusedError when it has not stopped
   */
  async resume(backfill: string, { by, origin }: Requester): Promise<Backfill> {
    const id = parseId('backfill', backfill);
    return transaction(this.#dependencies.database, async (tx) => {
      const row = await lockBackfill(tx, id);
      if (row.state !== 'stopped') throw refused(row, 'resume');
      const running = { ...row, state: 'running' as const, reason: null };
      await updateBackfill(tx, id, { state: 'running', reason: null });
      const details = { pipeline: row.pipeline, nextDay: row.nextDay };
      this.#audit(tx, id, { action: 'backfill.resumed', by, origin, details });
      await this.#proceed(tx, running, { retry: true });
      return getBackfill(tx, id);
    });
  }

  /**
   * Stops a backfill after the run that is under way.
   * @throws NotFoundError, TransitionRefusedError when it is not running
   */
  async stop(backfill: string, { by, origin }: Requester): Promise<Backfill> {
    const id = parseId('backfill', backfill);
    return transaction(this.#dependencies.database, async (tx) => {
      const row = await lockBackfill(tx, id);
      if (row.state !== 'running') throw refused(row, 'stop');
      await this.#halt(tx, row, { by, origin, reason: `Stopped by ${by}.` });
      return getBackfill(tx, id);
    });
  }

  /** Does what comes next, if anything; to be called when a run has ended, and as often as one likes. @throws NotFoundError */
  async advance(backfill: string): Promise<void> {
    const id = parseId('backfill', backfill);
    await transaction(this.#dependencies.database, async (tx) => {
      const row = await lockBackfill(tx, id);
      if (row.state === 'running') await this.#proceed(tx, row, { retry: false });
    });
  }

  /** Counts the days whose runs have succeeded and starts the run of the first that has none. */
  async #proceed(tx: Executor, row: BackfillRow, { retry }: { retry: boolean }): Promise<void> {
    let { nextDay: day, done } = row;
    for (; day !== null; done++, day = dayAfter(day, row.lastDay)) {
      const run = await newestBackfillRun(tx, row.id, startOf(day));
      if (run?.state === 'succeeded') continue;
      await updateBackfill(tx, row.id, { nextDay: day, done });
      const ended = run?.state === 'failed' || run?.state === 'cancelled';
      if (run === undefined || (ended && retry)) await this.#startDay(tx, row, day);
      else if (ended) await this.#halt(tx, row, { ...SCHEDULER, reason: stopReason(run, day) });
      return;
    }
    await updateBackfill(tx, row.id, { state: 'finished', nextDay: null, done });
  }

  async #startDay(tx: Executor, row: BackfillRow, day: string): Promise<void> {
    if (!this.#dependencies.catalog.names().includes(row.pipeline)) {
      const reason = `The pipeline '${row.pipeline}' is not loaded any more.`;
      return this.#halt(tx, row, { ...SCHEDULER, reason });
    }
    await this.#dependencies.engine.fireIn(tx, {
      pipeline: row.pipeline,
      kind: 'backfill',
      by: row.by,
      cause: { backfill: formatId('backfill', row.id) },
      asOf: startOf(day),
      force: row.force,
      backfillId: row.id,
    });
  }

  async #halt(
    tx: Executor,
    { id, pipeline, nextDay }: BackfillRow,
    { by, origin, reason }: Requester & { reason: string },
  ): Promise<void> {
    await updateBackfill(tx, id, { state: 'stopped', reason });
    this.#audit(tx, id, { action: 'backfill.stopped', by, origin, reason, details: { pipeline, nextDay } });
  }

  #audit(tx: Executor, id: string, change: Omit<AuditDraft, 'at' | 'subject'>): void {
    const subject = `backfill:${formatId('backfill', id)}`;
    recordChange(tx, { at: this.#dependencies.clock.now(), subject, ...change });
  }
}

function requireStretch(from: string, to: string): void {
  const days = (startOf(to).getTime() - startOf(from).getTime()) / DAY_MILLISECONDS + 1;
  const message =
    days < 1
      ? `must not be before the first day, ${from}`
      : days > MOST_DAYS
        ? `must be at most ${MOST_DAYS} days from the first, but they are ${days}`
        : undefined;
  if (message !== undefined) throw new InvalidRequestError(`to: ${message}.`, [{ path: 'to', message }]);
}

function startOf(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function dayAfter(day: string, last: string): string | null {
  if (day >= last) return null;
  return new Date(startOf(day).getTime() + DAY_MILLISECONDS).toISOString().slice(0, 10);
}

type EndedRun = NonNullable<Awaited<ReturnType<typeof newestBackfillRun>>>;

function stopReason({ id, state, error }: EndedRun, day: string): string {
  const why = error === null ? '' : `: ${error.message}`;
  return `The run ${formatId('run', id)} of ${day} ${state === 'failed' ? 'failed' : 'was cancelled'}${why}`;
}

function refused({ id, state }: BackfillRow, event: string): TransitionRefusedError {
  return new TransitionRefusedError({ kind: 'backfill', id: formatId('backfill', id) }, state, event);
}
