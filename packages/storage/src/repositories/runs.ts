import { and, asc, desc, eq, gt, inArray, lt } from 'drizzle-orm';
import {
  NotFoundError,
  STEP_NAMES,
  formatId,
  type Page,
  type PageQuery,
  type PipelineSpec,
  type Run,
  type RunState,
  type Step,
  type StepName,
  type StoredRunEvent,
  type Trigger,
} from '@perennial/contract';
import { runEvents, runs, steps } from '../database/schema.ts';
import { NUMBER_KEY, UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

export type RunRow = typeof runs.$inferSelect;
export type StepRow = typeof steps.$inferSelect;

export interface NewRun {
  id: string;
  spec: PipelineSpec;
  codeDigest: string;
  trigger: Trigger;
  asOf: Date;
  force: boolean;
  createdAt: Date;
  /** The backfill it is a day of. */
  backfillId?: string | undefined;
}

/** Creates a run with its first event. Call in a transaction, beside the job that will execute it. */
export async function createRun(tx: Executor, run: NewRun): Promise<void> {
  const { id, spec, trigger, asOf, force, createdAt } = run;
  await tx.insert(runs).values({
    id,
    pipeline: spec.name,
    state: 'queued',
    trigger,
    asOf,
    force,
    spec,
    codeDigest: run.codeDigest,
    createdAt,
    lastSequence: 1,
    backfillId: run.backfillId ?? null,
  });
  await tx.insert(runEvents).values({
    runId: id,
    sequence: 1,
    at: createdAt,
    event: { type: 'created', trigger, asOf: asOf.toISOString(), force },
  });
}

/** The row itself, with what a run's execution needs. @throws NotFoundError */
export async function getRunRow(db: Executor, id: string): Promise<RunRow> {
  const [row] = await db.select().from(runs).where(eq(runs.id, id));
  if (!row) throw new NotFoundError('run', formatId('run', id));
  return row;
}

/** @throws NotFoundError */
export async function getRun(db: Executor, id: string): Promise<Run> {
  const row = await getRunRow(db, id);
  return toRun(row, await stepsOf(db, [id]));
}

export interface RunFilter extends PageQuery {
  pipeline?: string | undefined;
  state?: RunState | undefined;
}

/** Runs, newest first. */
export async function listRuns(db: Executor, query: RunFilter): Promise<Page<Run>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(runs)
    .where(
      and(
        query.pipeline === undefined ? undefined : eq(runs.pipeline, query.pipeline),
        query.state === undefined ? undefined : eq(runs.state, query.state),
        before === undefined ? undefined : lt(runs.id, before),
      ),
    )
    .orderBy(desc(runs.id))
    .limit(query.limit + 1);
  const allSteps = await stepsOf(
    db,
    rows.map((row) => row.id),
  );
  return pageOf(rows, query, { item: (row) => toRun(row, allSteps), key: (row) => row.id });
}

/** The events of a run, oldest first. The cursor is the last sequence seen. */
export async function listRunEvents(
  db: Executor,
  id: string,
  query: PageQuery,
): Promise<Page<StoredRunEvent>> {
  await getRunRow(db, id);
  const after = decodeCursor(query.cursor, NUMBER_KEY);
  const rows = await db
    .select()
    .from(runEvents)
    .where(
      and(eq(runEvents.runId, id), after === undefined ? undefined : gt(runEvents.sequence, Number(after))),
    )
    .orderBy(asc(runEvents.sequence))
    .limit(query.limit + 1);
  return pageOf(rows, query, {
    item: (row) => ({ sequence: row.sequence, at: row.at.toISOString(), event: row.event }),
    key: (row) => String(row.sequence),
  });
}

/** The step of a run, if it has been begun. */
export async function findStep(db: Executor, runId: string, name: StepName): Promise<StepRow | undefined> {
  const [row] = await db
    .select()
    .from(steps)
    .where(and(eq(steps.runId, runId), eq(steps.name, name)));
  return row;
}

/** The newest finished step, of any run, whose inputs were the same. */
export async function findReusableStep(
  db: Executor,
  name: StepName,
  inputDigest: string,
): Promise<StepRow | undefined> {
  const [row] = await db
    .select()
    .from(steps)
    .where(
      and(
        eq(steps.name, name),
        eq(steps.inputDigest, inputDigest),
        inArray(steps.state, ['succeeded', 'reused']),
      ),
    )
    .orderBy(desc(steps.endedAt))
    .limit(1);
  return row;
}

async function stepsOf(db: Executor, runIds: string[]): Promise<StepRow[]> {
  if (runIds.length === 0) return [];
  return db.select().from(steps).where(inArray(steps.runId, runIds));
}

function toRun(row: RunRow, allSteps: StepRow[]): Run {
  const own = allSteps.filter((step) => step.runId === row.id);
  own.sort((a, b) => STEP_NAMES.indexOf(a.name) - STEP_NAMES.indexOf(b.name));
  return {
    id: formatId('run', row.id),
    pipeline: row.pipeline,
    state: row.state,
    trigger: row.trigger,
    asOf: row.asOf.toISOString(),
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    dataset: row.datasetDigest,
    version: row.version,
    verdict: row.verdict,
    error: row.error,
    steps: own.map(toStep),
  };
}

function toStep(row: StepRow): Step {
  return {
    name: row.name,
    state: row.state,
    attempt: row.attempt,
    startedAt: row.startedAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
    output: row.output,
    error: row.error,
  };
}
