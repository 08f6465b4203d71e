import { and, eq, sql } from 'drizzle-orm';
import {
  LeaseLostError,
  NotFoundError,
  RUN_TRANSITIONS,
  TransitionRefusedError,
  finalStates,
  formatId,
  nextState,
  type RunEvent,
  type RunState,
  type RunTransition,
} from '@perennial/contract';
import { runEvents, runs, steps } from '../database/schema.ts';
import { queueAdvance } from './backfills.ts';
import type { Executor } from './executor.ts';

/** The channel on which a cancelled run is announced to its worker; the payload is the run's plain id. */
export const RUN_CANCELLED_CHANNEL = 'run_cancelled';

type RunRow = typeof runs.$inferSelect;

export interface RunAppend {
  runId: string;
  at: Date;
  event: RunEvent;
  /** The token that the run was taken with; absent for what no worker writes (a cancellation). */
  fence?: number;
}

/**
 * Takes a run for a worker: whoever had it before writes nothing any more.
 * @returns the fencing token, to be named in every append
 * @throws TransitionRefusedError when the run has ended
 */
export async function takeRun(
  tx: Executor,
  { runId, worker, at }: { runId: string; worker: string; at: Date },
): Promise<number> {
  const [row] = await tx
    .update(runs)
    .set({ fence: sql`${runs.fence} + 1` })
    .where(eq(runs.id, runId))
    .returning({ fence: runs.fence });
  if (!row) throw new NotFoundError('run', formatId('run', runId));
  await appendRunEvent(tx, { runId, at, event: { type: 'started', worker }, fence: row.fence });
  return row.fence;
}

/**
 * Appends an event to a run and moves its projections, in the caller's transaction. The run's row is locked first, so appends to one run
 * are serial.
 * @throws TransitionRefusedError when the run's state does not allow the event
 * @throws LeaseLostError when the run was taken by another worker since
 */
export async function appendRunEvent(tx: Executor, { runId, at, event, fence }: RunAppend): Promise<void> {
  const [row] = await tx.select().from(runs).where(eq(runs.id, runId)).for('update');
  if (!row) throw new NotFoundError('run', formatId('run', runId));
  if (fence !== undefined && fence !== row.fence) {
    throw new LeaseLostError(
      { kind: 'run', id: formatId('run', runId) },
      { held: fence, current: row.fence },
    );
  }
  const state = stateAfter(row, event);
  const sequence = row.lastSequence + 1;
  await tx.insert(runEvents).values({ runId, sequence, at, event });
  await tx
    .update(runs)
    .set({ ...runChanges(row, event, at), state, lastSequence: sequence })
    .where(eq(runs.id, runId));
  await projectStep(tx, { runId, at, event });
  if (row.backfillId !== null && FINAL_STATES.includes(state)) await queueAdvance(tx, row.backfillId);
  if (event.type === 'cancelled') await tx.execute(sql`select pg_notify(${RUN_CANCELLED_CHANNEL}, ${runId})`);
}

const FINAL_STATES = finalStates(RUN_TRANSITIONS);

const TRANSITION_OF: Partial<Record<RunEvent['type'], RunTransition>> = {
  started: 'start',
  succeeded: 'succeed',
  failed: 'fail',
  cancelled: 'cancel',
};

function stateAfter(row: RunRow, event: RunEvent): RunState {
  const transition = TRANSITION_OF[event.type];
  const resumed = event.type === 'started' && row.state === 'running';
  if (resumed) return 'running';
  const state = transition === undefined ? stepState(row) : nextState(RUN_TRANSITIONS, row.state, transition);
  if (state === undefined) {
    throw new TransitionRefusedError({ kind: 'run', id: formatId('run', row.id) }, row.state, event.type);
  }
  return state;
}

/** Steps begin and end only while their run is running. */
function stepState(row: RunRow): RunState | undefined {
  return row.state === 'running' ? 'running' : undefined;
}

function runChanges(row: RunRow, event: RunEvent, at: Date): Partial<RunRow> {
  switch (event.type) {
    case 'started':
      return { startedAt: row.startedAt ?? at };
    case 'succeeded':
      return { endedAt: at, version: event.version, verdict: event.verdict };
    case 'failed':
      return { endedAt: at, error: event.error };
    case 'cancelled':
      return { endedAt: at };
    case 'step-succeeded':
      return event.step === 'data' ? { datasetDigest: String(event.output['dataset']) } : {};
    case 'created':
    case 'step-started':
    case 'step-failed':
      return {};
  }
}

async function projectStep(tx: Executor, { runId, at, event }: RunAppend): Promise<void> {
  if (event.type === 'step-started') {
    const fresh = {
      state: 'running' as const,
      attempt: event.attempt,
      inputDigest: event.inputDigest,
      startedAt: at,
      endedAt: null,
      output: null,
      error: null,
    };
    await tx
      .insert(steps)
      .values({ runId, name: event.step, ...fresh })
      .onConflictDoUpdate({ target: [steps.runId, steps.name], set: fresh });
  } else if (event.type === 'step-succeeded') {
    const state = event.reused ? ('reused' as const) : ('succeeded' as const);
    await updateStep(tx, { runId, name: event.step, changes: { state, output: event.output, endedAt: at } });
  } else if (event.type === 'step-failed') {
    await updateStep(tx, {
      runId,
      name: event.step,
      changes: { state: 'failed', error: event.error, endedAt: at },
    });
  }
}

interface StepUpdate {
  runId: string;
  name: (typeof steps.$inferSelect)['name'];
  changes: Partial<typeof steps.$inferSelect>;
}

async function updateStep(tx: Executor, { runId, name, changes }: StepUpdate): Promise<void> {
  await tx
    .update(steps)
    .set(changes)
    .where(and(eq(steps.runId, runId), eq(steps.name, name)));
}
