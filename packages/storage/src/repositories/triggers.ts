import { and, desc, eq, gt, gte, inArray, isNull, lt, sql } from 'drizzle-orm';
import {
  formatId,
  type Page,
  type PageQuery,
  type TriggerCause,
  type TriggerKind,
  type TriggerOutcome,
  type TriggerRecord,
} from '@perennial/contract';
import { pipelines, runs, steps, triggers } from '../database/schema.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

export interface NewTrigger {
  id: string;
  pipeline: string;
  kind: TriggerKind;
  by: string;
  cause: TriggerCause;
  at: Date;
  outcome: TriggerOutcome;
  reason: string;
  /** Plain id of the run it has, or was merged into. */
  runId: string | null;
}

/** Puts a trigger and what became of it on record. */
export async function recordTrigger(tx: Executor, trigger: NewTrigger): Promise<TriggerRecord> {
  const [row] = await tx.insert(triggers).values(trigger).returning();
  return toRecord(row as TriggerRow);
}

/** Holds back every other trigger of the pipeline until the transaction ends, so that each sees what the one before it decided. */
export async function lockPipeline(tx: Executor, pipeline: string): Promise<void> {
  await tx.select({ name: pipelines.name }).from(pipelines).where(eq(pipelines.name, pipeline)).for('update');
}

export interface TriggerFilter extends PageQuery {
  pipeline?: string | undefined;
  outcome?: TriggerOutcome | undefined;
}

/** Triggers, newest first. */
export async function listTriggers(db: Executor, query: TriggerFilter): Promise<Page<TriggerRecord>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(triggers)
    .where(
      and(
        query.pipeline === undefined ? undefined : eq(triggers.pipeline, query.pipeline),
        query.outcome === undefined ? undefined : eq(triggers.outcome, query.outcome),
        before === undefined ? undefined : lt(triggers.id, before),
      ),
    )
    .orderBy(desc(triggers.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toRecord, key: (row) => row.id });
}

export interface WaitingRunQuery {
  pipeline: string;
  codeDigest: string;
  /** A run for this instant; null: one for whatever moment it starts at. */
  asOf: Date | null;
  /** Only a run that does its work anew. */
  forced: boolean;
}

/**
 * The newest run that waits and will do what a new one would; its row is locked, so that no worker starts it meanwhile. A run is for no particular
 * instant when it looks from the moment of one of its triggers.
 */
export async function findWaitingRun(tx: Executor, query: WaitingRunQuery): Promise<string | undefined> {
  const ownTrigger = tx
    .select({ one: sql`1` })
    .from(triggers)
    .where(
      and(
        // A run's triggers have later ids than it, which spares a walk through all that the pipeline ever had.
        eq(triggers.pipeline, query.pipeline),
        gt(triggers.id, runs.id),
        eq(triggers.runId, runs.id),
        eq(triggers.at, runs.asOf),
      ),
    );
  const [row] = await tx
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        eq(runs.pipeline, query.pipeline),
        eq(runs.state, 'queued'),
        eq(runs.codeDigest, query.codeDigest),
        query.forced ? eq(runs.force, true) : undefined,
        query.asOf === null
          ? and(isNull(runs.backfillId), sql`exists ${ownTrigger}`)
          : eq(runs.asOf, query.asOf),
      ),
    )
    .orderBy(desc(runs.id))
    .limit(1)
    .for('update');
  return row?.id;
}

/** Lets a waiting run look at the world from a later moment: another trigger relies on it now. */
export async function moveWaitingRun(tx: Executor, id: string, asOf: Date): Promise<void> {
  await tx
    .update(runs)
    .set({ asOf })
    .where(and(eq(runs.id, id), lt(runs.asOf, asOf)));
}

/** A run of the pipeline that has not ended, if there is one. */
export async function findUnfinishedRun(db: Executor, pipeline: string): Promise<string | undefined> {
  const [row] = await db
    .select({ id: runs.id })
    .from(runs)
    .where(and(eq(runs.pipeline, pipeline), inArray(runs.state, ['queued', 'running'])))
    .orderBy(runs.id)
    .limit(1);
  return row?.id;
}

/** Minutes that training steps of the pipeline have taken since an instant; one that is under way counts up to `now`. */
export async function trainingMinutes(
  db: Executor,
  pipeline: string,
  { since, now }: { since: Date; now: Date },
): Promise<number> {
  const instant = now.toISOString();
  const [row] = await db
    .select({
      minutes: sql<number>`coalesce(sum(extract(epoch from
        coalesce(${steps.endedAt}, ${instant}::timestamptz) - ${steps.startedAt})), 0)::float8 / 60`,
    })
    .from(steps)
    .innerJoin(runs, eq(runs.id, steps.runId))
    .where(and(eq(runs.pipeline, pipeline), eq(steps.name, 'training'), gte(steps.startedAt, since)));
  return row?.minutes ?? 0;
}

type TriggerRow = typeof triggers.$inferSelect;

function toRecord(row: TriggerRow): TriggerRecord {
  return {
    id: formatId('trigger', row.id),
    pipeline: row.pipeline,
    kind: row.kind,
    by: row.by,
    cause: row.cause,
    at: row.at.toISOString(),
    outcome: row.outcome,
    reason: row.reason,
    run: row.runId === null ? null : formatId('run', row.runId),
  };
}
