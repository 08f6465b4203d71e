import { and, eq, lt, sql } from 'drizzle-orm';
import { idempotencyKeys } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** A request as its repetition can be told by: who sent it, under which key, and what it said. */
export interface KeyedRequest {
  caller: string;
  key: string;
  requestDigest: string;
}

export type KeyedOutcome =
  /** The key is new: do the work, then `recordOutcome` or `forgetRequest`. */
  | { kind: 'fresh' }
  /** The same request was answered before. */
  | { kind: 'answered'; status: number; response: unknown }
  /** The same request is being worked on. */
  | { kind: 'in-progress' }
  /** The key was used for another request. */
  | { kind: 'mismatch' };

/** How long a request may be worked on before its key counts as abandoned: its process died. */
const ABANDONED_AFTER_MILLISECONDS = 60_000;

/** Takes a key, or says what became of the request that has it. */
export async function claimRequest(db: Executor, request: KeyedRequest, at: Date): Promise<KeyedOutcome> {
  const abandoned = new Date(at.getTime() - ABANDONED_AFTER_MILLISECONDS);
  const values = { ...request, createdAt: at };
  const claimed = await db
    .insert(idempotencyKeys)
    .values(values)
    .onConflictDoUpdate({
      target: [idempotencyKeys.caller, idempotencyKeys.key],
      set: values,
      setWhere: sql`${idempotencyKeys.createdAt} < ${abandoned.toISOString()} and ${idempotencyKeys.status} is null
        and ${idempotencyKeys.requestDigest} = ${request.requestDigest}`,
    })
    .returning();
  if (claimed.length === 1) return { kind: 'fresh' };
  const [row] = await db.select().from(idempotencyKeys).where(of(request));
  if (!row) return { kind: 'in-progress' };
  if (row.requestDigest !== request.requestDigest) return { kind: 'mismatch' };
  if (row.status === null) return { kind: 'in-progress' };
  return { kind: 'answered', status: row.status, response: row.response };
}

/** Keeps the answer for repetitions. */
export async function recordOutcome(
  db: Executor,
  request: KeyedRequest,
  { status, response }: { status: number; response: unknown },
): Promise<void> {
  await db.update(idempotencyKeys).set({ status, response }).where(of(request));
}

/** Gives the key back: the request failed, and may be tried again. */
export async function forgetRequest(db: Executor, request: KeyedRequest): Promise<void> {
  await db.delete(idempotencyKeys).where(of(request));
}

/**
 * Forgets requests that were first sent before an instant: a repetition of one would be done anew.
 * @returns how many were forgotten
 */
export async function forgetRequestsBefore(db: Executor, before: Date): Promise<number> {
  const { count } = await db.execute(sql`
    delete from ${idempotencyKeys} where ${lt(idempotencyKeys.createdAt, before)}`);
  return count;
}

function of({ caller, key }: KeyedRequest) {
  return and(eq(idempotencyKeys.caller, caller), eq(idempotencyKeys.key, key));
}
