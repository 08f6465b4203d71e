import { and, eq, inArray } from 'drizzle-orm';
import { NotFoundError, formatId, type Failure, type Reproduction } from '@perennial/contract';
import { reproductions } from '../database/schema.ts';
import { enqueue } from '../queue/enqueue.ts';
import type { Executor } from './executor.ts';

export type ReproductionRow = typeof reproductions.$inferSelect;

export interface NewReproduction {
  id: string;
  model: string;
  version: number;
  requestedBy: string;
  createdAt: Date;
}

/** Puts a reproduction on record with the job that does it: call it in a transaction, and both are there or neither. */
export async function createReproduction(tx: Executor, reproduction: NewReproduction): Promise<Reproduction> {
  const [row] = await tx
    .insert(reproductions)
    .values({ ...reproduction, state: 'queued', differences: [] })
    .returning();
  if (!row) throw new Error('insert … returning gave no row');
  await enqueue(tx, {
    kind: 'reproduction.execute',
    payload: { reproduction: formatId('reproduction', row.id) },
    jobKey: `reproduction.execute:${row.id}`,
  });
  return toReproduction(row);
}

/** @throws NotFoundError */
export async function getReproduction(db: Executor, id: string): Promise<Reproduction> {
  const [row] = await db.select().from(reproductions).where(eq(reproductions.id, id));
  if (!row) throw new NotFoundError('reproduction', formatId('reproduction', id));
  return toReproduction(row);
}

/** Marks a reproduction as under way. @returns false where it has ended */
export async function beginReproduction(db: Executor, id: string): Promise<boolean> {
  return change(db, id, { state: 'running' });
}

/** How a reproduction came out. */
export type ReproductionOutcome =
  | { state: 'identical' }
  | { state: 'different'; differences: Reproduction['differences'] }
  | { state: 'failed'; error: Failure };

/**
 * Ends a reproduction. The first that ends it is right: a worker that was taken for dead and comes back changes nothing.
 * @returns false where it had ended before
 */
export async function endReproduction(
  db: Executor,
  id: string,
  { endedAt, ...outcome }: ReproductionOutcome & { endedAt: Date },
): Promise<boolean> {
  return change(db, id, { ...outcome, endedAt });
}

async function change(db: Executor, id: string, values: Partial<ReproductionRow>): Promise<boolean> {
  const rows = await db
    .update(reproductions)
    .set(values)
    .where(and(eq(reproductions.id, id), inArray(reproductions.state, ['queued', 'running'])))
    .returning({ id: reproductions.id });
  return rows.length === 1;
}

function toReproduction(row: ReproductionRow): Reproduction {
  return {
    ...row,
    id: formatId('reproduction', row.id),
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
