import {
  formatId,
  type Clock,
  type IdGenerator,
  type TriggerCause,
  type TriggerKind,
  type TriggerRecord,
} from '@perennial/contract';
import {
  createRun,
  enqueue,
  findWaitingRun,
  lockPipeline,
  moveWaitingRun,
  recordChange,
  recordTrigger,
  transaction,
  type AuditDraft,
  type Database,
  type Executor,
} from '@perennial/storage';
import type { PipelineCatalog } from '../pipeline-catalog.ts';
import { reasonToSkip } from './limits.ts';

export interface TriggerEngineDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  catalog: PipelineCatalog;
}

/** Something that wants a pipeline to run. */
export interface TriggerRequest {
  pipeline: string;
  kind: TriggerKind;
  /** Who or what raised it, by name. */
  by: string;
  cause?: TriggerCause;
  /** Where it came from, for the audit. @default 'scheduler' */
  origin?: string;
  /**
   * The instant the run is to look at the world from. Without one the run looks from the moment it was last asked for.
   */
  asOf?: Date | undefined;
  /** Do the work again even where an earlier output would stand for it. @default false */
  force?: boolean;
  /** Plain id of the backfill that the run is a day of: such a run is its backfill's own and merged into no other. */
  backfillId?: string;
}

/** That a run answers a trigger: one of its own, or one that was waiting. */
interface Answered {
  outcome: 'ran' | 'merged';
  reason: string;
  runId: string;
}

/** What a trigger comes to. */
type Decision = Answered | { outcome: 'skipped'; reason: string; runId: null };

/**
 * Decides whether a pipeline runs, and puts every trigger on record with what became of it. The triggers of one pipeline are decided one after the
 * other, in whatever process they are raised.
 */
export class TriggerEngine {
  readonly #dependencies: TriggerEngineDependencies;

  constructor(dependencies: TriggerEngineDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Raises a trigger: record, run and job are one transaction.
   * @throws NotFoundError when no such pipeline is loaded
   */
  fire(request: TriggerRequest): Promise<TriggerRecord> {
    return transaction(this.#dependencies.database, (tx) => this.fireIn(tx, request));
  }

  /**
   * Raises a trigger in the caller's transaction, beside what it follows from (a due time taken, files taken, a cursor moved).
   * @throws NotFoundError when no such pipeline is loaded
   */
  async fireIn(tx: Executor, request: TriggerRequest): Promise<TriggerRecord> {
    const { clock, catalog } = this.#dependencies;
    catalog.get(request.pipeline);
    await lockPipeline(tx, request.pipeline);
    const at = clock.now();
    const decision = await this.#decide(tx, request, at);
    if (decision.runId !== null) recordChange(tx, changeBy(request, { ...decision, at }));
    return this.#record(tx, request, { ...decision, at });
  }

  /** Puts a trigger on record that starts no run whatever the pipeline's limits say. */
  async skipIn(tx: Executor, request: TriggerRequest, reason: string): Promise<TriggerRecord> {
    const at = this.#dependencies.clock.now();
    return this.#record(tx, request, { outcome: 'skipped', reason, runId: null, at });
  }

  async #decide(tx: Executor, request: TriggerRequest, at: Date): Promise<Decision> {
    const waiting = await this.#mergeInto(tx, request, at);
    if (waiting !== undefined) {
      const reason = 'A run that was waiting to start will do for this trigger too.';
      return { outcome: 'merged', reason, runId: waiting };
    }
    const { spec } = this.#dependencies.catalog.get(request.pipeline);
    const skip = await reasonToSkip(tx, { spec, kind: request.kind, at });
    if (skip !== undefined) return { outcome: 'skipped', reason: skip, runId: null };
    return {
      outcome: 'ran',
      reason: 'A run was started.',
      runId: await this.#startRun(tx, request, at),
    };
  }

  async #mergeInto(tx: Executor, request: TriggerRequest, at: Date): Promise<string | undefined> {
    if (request.backfillId !== undefined) return undefined;
    const { codeDigest } = this.#dependencies.catalog.get(request.pipeline);
    const runId = await findWaitingRun(tx, {
      pipeline: request.pipeline,
      codeDigest,
      asOf: request.asOf ?? null,
      forced: request.force === true,
    });
    // What has come between the two triggers must be seen by the run that answers both.
    if (runId !== undefined && request.asOf === undefined) await moveWaitingRun(tx, runId, at);
    return runId;
  }

  /** Runs of one pipeline execute one after the other: each compares itself with the champion that the one before it left. */
  async #startRun(tx: Executor, request: TriggerRequest, at: Date): Promise<string> {
    const { ids, catalog } = this.#dependencies;
    const { spec, codeDigest } = catalog.get(request.pipeline);
    const { kind, by, force = false, backfillId } = request;
    const id = ids.next();
    await createRun(tx, {
      id,
      spec,
      codeDigest,
      trigger: { kind, by },
      asOf: request.asOf ?? at,
      force,
      createdAt: at,
      backfillId,
    });
    await enqueue(tx, {
      kind: 'run.execute',
      payload: { run: formatId('run', id) },
      jobKey: `run.execute:${id}`,
      series: `pipeline:${request.pipeline}`,
    });
    return id;
  }

  #record(
    tx: Executor,
    { pipeline, kind, by, cause = {} }: TriggerRequest,
    decision: Decision & { at: Date },
  ): Promise<TriggerRecord> {
    const id = this.#dependencies.ids.next();
    return recordTrigger(tx, { id, pipeline, kind, by, cause, ...decision });
  }
}

/** Why a run started, in the audit's words. What raises triggers by looking is the scheduler, whatever it saw. */
function changeBy(request: TriggerRequest, answer: Answered & { at: Date }): AuditDraft {
  const { pipeline, kind, by, asOf, force = false, origin = 'scheduler', cause = {} } = request;
  return {
    at: answer.at,
    by: ASKED.has(kind) ? by : 'scheduler',
    action: 'run.started',
    subject: `run:${formatId('run', answer.runId)}`,
    reason: cause.staleness ?? null,
    details: {
      pipeline,
      trigger: kind,
      by,
      cause,
      outcome: answer.outcome,
      asOf: asOf?.toISOString(),
      force,
    },
    origin,
  };
}

/** Triggers that are raised by whoever they name. */
const ASKED: ReadonlySet<TriggerKind> = new Set<TriggerKind>(['request', 'replay', 'backfill']);
