import { and, eq, gt, sql } from 'drizzle-orm';
import {
  DAY_MILLISECONDS,
  NotFoundError,
  formatId,
  type AsyncPrediction,
  type Failure,
  type PredictRequest,
  type PredictResponse,
} from '@perennial/contract';
import { asyncPredictions } from '../database/schema.ts';
import { ResultExpiredError } from '../errors.ts';
import { enqueue } from '../queue/enqueue.ts';
import type { Executor } from './executor.ts';

/** Announces, with the plain id, each asynchronous prediction that has ended. */
export const ASYNC_PREDICTION_ENDED_CHANNEL = 'async_prediction_ended';

/** How often one is tried: with the queue's growing pauses, for half an hour. */
const MAX_ATTEMPTS = 8;

/** How long an expired one is still known, so that whoever comes late is told that it was there. */
const KNOWN_MILLISECONDS = 7 * DAY_MILLISECONDS;

/** Rows that one statement of the clean-up takes: each may hold megabytes. */
const EXPIRED_AT_ONCE = 500;

type Row = typeof asyncPredictions.$inferSelect;

/** Written out, as the index of the unfinished ones says it: or the planner cannot tell that the two are the same. */
const UNFINISHED = sql`${asyncPredictions.state} in ('queued', 'running')`;

export interface NewAsyncPrediction {
  id: string;
  model: string;
  request: PredictRequest;
  requestedBy: string;
  createdAt: Date;
  expiresAt: Date;
  /** The trace that it was asked for in. */
  traceparent?: string | undefined;
}

/**
 * Puts an asynchronous prediction on record with the job that answers it: call it in a transaction, and both are there or neither.
 * @param limit most unfinished ones of the model; requests that come at the same moment may pass it together, at most as many as there are
 * connections to the database
 * @returns undefined when there are as many already
 */
export async function createAsyncPrediction(
  tx: Executor,
  { traceparent, ...prediction }: NewAsyncPrediction,
  limit: number,
): Promise<AsyncPrediction | undefined> {
  if (await isFull(tx, prediction.model, limit)) return undefined;
  const [row] = await tx
    .insert(asyncPredictions)
    .values({ ...prediction, state: 'queued' })
    .returning();
  if (!row) throw new Error('insert … returning gave no row');
  await enqueue(tx, {
    kind: 'prediction.execute',
    payload: {
      prediction: formatId('asyncPrediction', row.id),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    jobKey: `prediction.execute:${row.id}`,
    maxAttempts: MAX_ATTEMPTS,
  });
  return toAsyncPrediction(row);
}

/** Looks at no more rows than it must, by an index that holds the unfinished ones alone. */
async function isFull(tx: Executor, model: string, limit: number): Promise<boolean> {
  const [row] = await tx.execute<{ waiting: number }>(sql`
    select count(*)::int as waiting from (
      select from ${asyncPredictions} where model = ${model} and ${UNFINISHED} limit ${limit}) as unfinished`);
  return (row?.waiting ?? 0) >= limit;
}

/** Marks one as under way. @returns what is to be answered; undefined where it has ended or its time is over */
export async function beginAsyncPrediction(
  db: Executor,
  id: string,
  at: Date,
): Promise<{ model: string; request: PredictRequest } | undefined> {
  const [row] = await db
    .update(asyncPredictions)
    .set({ state: 'running' })
    .where(and(eq(asyncPredictions.id, id), UNFINISHED, gt(asyncPredictions.expiresAt, at)))
    .returning({ model: asyncPredictions.model, request: asyncPredictions.request });
  return row?.request ? { model: row.model, request: row.request } : undefined;
}

/** How one came out. */
export type AsyncPredictionOutcome =
  { state: 'completed'; response: PredictResponse } | { state: 'failed'; error: Failure };

/**
 * Writes the one result. The first that ends it is right: of a job that is done twice, the second changes nothing and must write nothing else either. What was asked is
 * no longer kept.
 * @returns undefined where it had ended before
 */
export async function endAsyncPrediction(
  tx: Executor,
  id: string,
  outcome: AsyncPredictionOutcome & { endedAt: Date; expiresAt: Date },
): Promise<AsyncPrediction | undefined> {
  const [row] = await tx
    .update(asyncPredictions)
    .set({ ...outcome, request: null })
    .where(and(eq(asyncPredictions.id, id), UNFINISHED, gt(asyncPredictions.expiresAt, outcome.endedAt)))
    .returning();
  if (!row) return undefined;
  await tx.execute(sql`select pg_notify(${ASYNC_PREDICTION_ENDED_CHANNEL}, ${id})`);
  return toAsyncPrediction(row);
}

/**
 * @throws NotFoundError
 * @throws ResultExpiredError from the moment its time is over, whether or not it has been removed by then
 */
export async function getAsyncPrediction(db: Executor, id: string, at: Date): Promise<AsyncPrediction> {
  const [row] = await db.select(SHOWN).from(asyncPredictions).where(eq(asyncPredictions.id, id));
  const edge = formatId('asyncPrediction', id);
  if (!row) throw new NotFoundError('async-prediction', edge);
  if (row.state === 'expired' || row.expiresAt <= at) throw new ResultExpiredError(edge, row.expiresAt);
  return toAsyncPrediction(row);
}

/**
 * Removes what was asked and answered of those whose time is over; the rows themselves a week later.
 * @returns how many have expired
 */
export async function expireAsyncPredictions(db: Executor, at: Date): Promise<number> {
  const before = new Date(at.getTime() - KNOWN_MILLISECONDS).toISOString();
  await db.execute(sql`
    delete from ${asyncPredictions} where state = 'expired' and expires_at <= ${before}`);
  for (let expired = 0; ;) {
    const { count } = await db.execute(sql`
      update ${asyncPredictions} set state = 'expired', request = null, response = null, error = null
      where id in (select id from ${asyncPredictions} where state <> 'expired' and expires_at <= ${at.toISOString()}
        order by expires_at limit ${EXPIRED_AT_ONCE} for update skip locked)`);
    expired += count;
    if (count < EXPIRED_AT_ONCE) return expired;
  }
}

/** All but what was asked: whoever waits for a result must not have it read each time. */
const SHOWN = {
  id: asyncPredictions.id,
  model: asyncPredictions.model,
  state: asyncPredictions.state,
  response: asyncPredictions.response,
  error: asyncPredictions.error,
  requestedBy: asyncPredictions.requestedBy,
  createdAt: asyncPredictions.createdAt,
  endedAt: asyncPredictions.endedAt,
  expiresAt: asyncPredictions.expiresAt,
};

function toAsyncPrediction(row: Omit<Row, 'request'>): AsyncPrediction {
  return {
    id: formatId('asyncPrediction', row.id),
    model: row.model,
    state: row.state,
    response: row.response,
    error: row.error,
    requestedBy: row.requestedBy,
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
    expiresAt: row.expiresAt.toISOString(),
  };
}
