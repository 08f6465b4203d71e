import { and, desc, eq, lt } from 'drizzle-orm';
import {
  NotFoundError,
  formatId,
  type Backfill,
  type BackfillState,
  type Page,
  type PageQuery,
} from '@perennial/contract';
import { backfills, runs } from '../database/schema.ts';
import { enqueue } from '../queue/enqueue.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';
import type { RunRow } from './runs.ts';

export type BackfillRow = typeof backfills.$inferSelect;

export async function createBackfill(tx: Executor, backfill: BackfillRow): Promise<void> {
  await tx.insert(backfills).values(backfill);
}

/** The row, locked until the transaction ends. @throws NotFoundError */
export async function lockBackfill(tx: Executor, id: string): Promise<BackfillRow> {
  const [row] = await tx.select().from(backfills).where(eq(backfills.id, id)).for('update');
  if (!row) throw new NotFoundError('backfill', formatId('backfill', id));
  return row;
}

export interface BackfillChange {
  state: BackfillState;
  nextDay: string | null;
  done: number;
  reason: string | null;
}

export async function updateBackfill(
  tx: Executor,
  id: string,
  change: Partial<BackfillChange>,
): Promise<void> {
  await tx.update(backfills).set(change).where(eq(backfills.id, id));
}

/** Queues the work of looking what comes next: after its start, and in the transaction that ends one of its runs. */
export async function queueAdvance(tx: Executor, id: string): Promise<void> {
  await enqueue(tx, {
    kind: 'backfill.advance',
    payload: { backfill: formatId('backfill', id) },
    jobKey: `backfill.advance:${id}`,
  });
}

/** The newest run that a backfill has for a day, given as the instant the run looks from. */
export async function newestBackfillRun(
  db: Executor,
  id: string,
  asOf: Date,
): Promise<Pick<RunRow, 'id' | 'state' | 'error'> | undefined> {
  const [row] = await db
    .select({ id: runs.id, state: runs.state, error: runs.error })
    .from(runs)
    .where(and(eq(runs.backfillId, id), eq(runs.asOf, asOf)))
    .orderBy(desc(runs.id))
    .limit(1);
  return row;
}

/** @throws NotFoundError */
export async function getBackfill(db: Executor, id: string): Promise<Backfill> {
  const [row] = await db.select().from(backfills).where(eq(backfills.id, id));
  if (!row) throw new NotFoundError('backfill', formatId('backfill', id));
  return toBackfill(row);
}

/** Backfills, newest first. */
export async function listBackfills(
  db: Executor,
  query: PageQuery & { pipeline?: string | undefined },
): Promise<Page<Backfill>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(backfills)
    .where(
      and(
        query.pipeline === undefined ? undefined : eq(backfills.pipeline, query.pipeline),
        before === undefined ? undefined : lt(backfills.id, before),
      ),
    )
    .orderBy(desc(backfills.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toBackfill, key: (row) => row.id });
}

function toBackfill(row: BackfillRow): Backfill {
  return {
    id: formatId('backfill', row.id),
    pipeline: row.pipeline,
    from: row.firstDay,
    to: row.lastDay,
    force: row.force,
    state: row.state,
    nextDay: row.nextDay,
    done: row.done,
    reason: row.reason,
    by: row.by,
    createdAt: row.createdAt.toISOString(),
  };
}
