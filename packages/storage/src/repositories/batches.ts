import { and, asc, desc, eq, inArray, isNull, lt, sql } from 'drizzle-orm';
import {
  NotFoundError,
  TransitionRefusedError,
  formatId,
  type Batch,
  type BatchInput,
  type BatchState,
  type Digest,
  type Failure,
  type Page,
  type PageQuery,
} from '@perennial/contract';
import { batchChunks, batches } from '../database/schema.ts';
import type { BatchPart } from '../database/schema/serving.ts';
import { enqueue } from '../queue/enqueue.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

export type { BatchPart } from '../database/schema/serving.ts';
export type BatchRow = typeof batches.$inferSelect;
export type BatchChunkRow = typeof batchChunks.$inferSelect;

export interface NewBatch {
  id: string;
  model: string;
  version: number;
  artifact: Digest;
  input: BatchInput;
  keys: string[];
  requestedBy: string;
  createdAt: Date;
}

/** Puts a batch on record with the job that begins it: call it in a transaction, and both are there or neither. */
export async function createBatch(tx: Executor, batch: NewBatch): Promise<Batch> {
  const [row] = await tx
    .insert(batches)
    .values({ ...batch, state: 'queued' })
    .returning();
  if (!row) throw new Error('insert … returning gave no row');
  const payload = { batch: formatId('batch', row.id) };
  await enqueue(tx, { kind: 'batch.start', payload, jobKey: `batch.start:${row.id}` });
  return toBatch(row);
}

/** @throws NotFoundError */
export async function getBatch(db: Executor, id: string): Promise<Batch> {
  return toBatch(await getBatchRow(db, id));
}

/** The row itself, with the artifact that scores it. @throws NotFoundError */
export async function getBatchRow(db: Executor, id: string): Promise<BatchRow> {
  const [row] = await db.select().from(batches).where(eq(batches.id, id));
  if (!row) throw new NotFoundError('batch', formatId('batch', id));
  return row;
}

export interface BatchFilter extends PageQuery {
  model?: string | undefined;
  state?: BatchState | undefined;
}

/** Batches, newest first. */
export async function listBatches(db: Executor, query: BatchFilter): Promise<Page<Batch>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(batches)
    .where(
      and(
        query.model === undefined ? undefined : eq(batches.model, query.model),
        query.state === undefined ? undefined : eq(batches.state, query.state),
        before === undefined ? undefined : lt(batches.id, before),
      ),
    )
    .orderBy(desc(batches.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toBatch, key: (row) => row.id });
}

/** Marks a batch as under way. @returns its row; undefined where it has ended or has its chunks already */
export async function beginBatch(db: Executor, id: string, at: Date): Promise<BatchRow | undefined> {
  const [row] = await db
    .update(batches)
    .set({
      state: 'running',
      startedAt: sql`coalesce(${batches.startedAt}, ${at.toISOString()}::timestamptz)`,
    })
    .where(and(underWay(id), isNull(batches.rows)))
    .returning();
  return row;
}

/**
 * Writes a batch's chunks down and queues each, once however many workers ask. Call it in a transaction.
 * @returns false where the batch has ended, or has its chunks from another worker
 */
export async function planBatch(tx: Executor, id: string, parts: readonly BatchPart[]): Promise<boolean> {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const planned = await tx
    .update(batches)
    .set({ rows })
    .where(and(eq(batches.id, id), eq(batches.state, 'running'), isNull(batches.rows)))
    .returning({ id: batches.id });
  if (planned.length === 0) return false;
  for (const [chunk, part] of parts.entries()) {
    await tx.insert(batchChunks).values({ batch: id, chunk, part });
    const payload = { batch: formatId('batch', id), chunk };
    await enqueue(tx, { kind: 'batch.chunk', payload, jobKey: `batch.chunk:${id}:${chunk}` });
  }
  return true;
}

/** The chunks of a batch, in order of its rows. */
export async function listBatchChunks(db: Executor, id: string): Promise<BatchChunkRow[]> {
  return db.select().from(batchChunks).where(eq(batchChunks.batch, id)).orderBy(asc(batchChunks.chunk));
}

export async function findBatchChunk(
  db: Executor,
  id: string,
  chunk: number,
): Promise<BatchChunkRow | undefined> {
  const [row] = await db
    .select()
    .from(batchChunks)
    .where(and(eq(batchChunks.batch, id), eq(batchChunks.chunk, chunk)));
  return row;
}

/** Queues the work that comes behind the last chunk, or behind the end of a batch that somebody ended. */
export async function queueBatchEnd(tx: Executor, id: string): Promise<void> {
  const payload = { batch: formatId('batch', id) };
  await enqueue(tx, { kind: 'batch.finish', payload, jobKey: `batch.finish:${id}` });
}

export interface ChunkOutput {
  batch: string;
  chunk: number;
  output: Digest;
  bytes: number;
  at: Date;
}

/**
 * Marks a chunk as scored, and queues the end of the batch behind the last one. The first that does it is right: a worker that was taken for dead and comes back
 * changes nothing. Call it in a transaction.
 * @returns false where the chunk was done before, or the batch has ended
 */
export async function completeChunk(tx: Executor, done: ChunkOutput): Promise<boolean> {
  // The batch's row first: whoever is last must see that all others are done.
  const [batch] = await tx
    .select({ state: batches.state })
    .from(batches)
    .where(eq(batches.id, done.batch))
    .for('update');
  if (batch?.state !== 'running') return false;
  const [chunk] = await tx
    .update(batchChunks)
    .set({ output: done.output, bytes: done.bytes, doneAt: done.at })
    .where(
      and(eq(batchChunks.batch, done.batch), eq(batchChunks.chunk, done.chunk), isNull(batchChunks.output)),
    )
    .returning();
  if (chunk === undefined) return false;
  await tx
    .update(batches)
    .set({ done: sql`${batches.done} + ${chunk.part.rows}` })
    .where(eq(batches.id, done.batch));
  const left = await tx
    .select({ chunk: batchChunks.chunk })
    .from(batchChunks)
    .where(and(eq(batchChunks.batch, done.batch), isNull(batchChunks.output)))
    .limit(1);
  if (left.length === 0) await queueBatchEnd(tx, done.batch);
  return true;
}

/** How a batch came out. */
export type BatchOutcome =
  | { state: 'completed'; output: { digest: Digest; bytes: number; rows: number } }
  | { state: 'failed'; error: Failure };

/** Ends a batch. The first that ends it is right. @returns false where it had ended before */
export async function endBatch(
  db: Executor,
  id: string,
  { endedAt, ...outcome }: BatchOutcome & { endedAt: Date },
): Promise<boolean> {
  const rows = await db
    .update(batches)
    .set({ ...outcome, endedAt })
    .where(underWay(id))
    .returning({ id: batches.id });
  return rows.length === 1;
}

/** Ends a batch for whoever does not want it any more. @throws NotFoundError, TransitionRefusedError */
export async function cancelBatch(tx: Executor, id: string, endedAt: Date): Promise<Batch> {
  const [row] = await tx.update(batches).set({ state: 'cancelled', endedAt }).where(underWay(id)).returning();
  if (row !== undefined) return toBatch(row);
  const { state } = await getBatchRow(tx, id);
  throw new TransitionRefusedError({ kind: 'batch', id: formatId('batch', id) }, state, 'cancel');
}

function underWay(id: string) {
  return and(eq(batches.id, id), inArray(batches.state, ['queued', 'running']));
}

function toBatch({ artifact: _, ...row }: BatchRow): Batch {
  return {
    ...row,
    id: formatId('batch', row.id),
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
