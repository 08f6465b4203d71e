import { and, desc, eq, inArray, lt, ne, sql } from 'drizzle-orm';
import {
  NotFoundError,
  formatId,
  type Failure,
  type Page,
  type PageQuery,
  type Precomputation,
  type PrecomputationState,
} from '@perennial/contract';
import { precomputationChunks, precomputations } from '../database/schema.ts';
import { enqueue } from '../queue/enqueue.ts';
import { MODELS_CHANGED_CHANNEL } from './aliases.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { KeyRange } from './entity-features.ts';
import type { Executor } from './executor.ts';

export type PrecomputationRow = typeof precomputations.$inferSelect;

export interface NewPrecomputation {
  id: string;
  model: string;
  version: number;
  artifact: string;
  keys: string | null;
  cause: Precomputation['cause'];
  requestedBy: string;
  createdAt: Date;
}

const UNFINISHED: PrecomputationState[] = ['queued', 'running'];

/**
 * Puts a precomputation on record with the job that begins it: call it in a transaction, and both are there or neither. One of the model that is not done yet makes
 * way for it.
 */
export async function createPrecomputation(tx: Executor, wanted: NewPrecomputation): Promise<Precomputation> {
  await supersedeUnfinished(tx, { model: wanted.model, at: wanted.createdAt });
  const [row] = await tx
    .insert(precomputations)
    .values({ ...wanted, state: 'queued' })
    .returning();
  if (!row) throw new Error('insert … returning gave no row');
  await enqueue(tx, {
    kind: 'precomputation.start',
    payload: { precomputation: formatId('precomputation', row.id) },
    jobKey: `precomputation.start:${row.id}`,
  });
  return toPrecomputation(row);
}

/** Ends what of a model is under way and would not be given out any more. */
export async function supersedeUnfinished(
  tx: Executor,
  { model, at }: { model: string; at: Date },
): Promise<void> {
  await tx
    .update(precomputations)
    .set({ state: 'superseded', endedAt: at })
    .where(and(eq(precomputations.model, model), inArray(precomputations.state, UNFINISHED)));
}

/** By its plain id. @throws NotFoundError */
export async function getPrecomputationRow(db: Executor, id: string): Promise<PrecomputationRow> {
  const [row] = await db.select().from(precomputations).where(eq(precomputations.id, id));
  if (!row) throw new NotFoundError('precomputation', formatId('precomputation', id));
  return row;
}

/** By its plain id, of the model alone. @throws NotFoundError */
export async function getPrecomputation(db: Executor, model: string, id: string): Promise<Precomputation> {
  const row = await getPrecomputationRow(db, id);
  if (row.model !== model) throw new NotFoundError('precomputation', formatId('precomputation', id));
  return toPrecomputation(row);
}

/** Precomputations of a model, newest first. */
export async function listPrecomputations(
  db: Executor,
  model: string,
  query: PageQuery,
): Promise<Page<Precomputation>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(precomputations)
    .where(
      and(
        eq(precomputations.model, model),
        before === undefined ? undefined : lt(precomputations.id, before),
      ),
    )
    .orderBy(desc(precomputations.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toPrecomputation, key: ({ id }) => id });
}

/**
 * Writes a precomputation's chunks and queues each. Begun twice, the first is right.
 * @returns false where it was begun before, or has ended
 */
export async function beginPrecomputation(
  tx: Executor,
  { id, ranges, at }: { id: string; ranges: readonly KeyRange[]; at: Date },
): Promise<boolean> {
  const rows = ranges.reduce((sum, range) => sum + range.rows, 0);
  const begun = await tx
    .update(precomputations)
    .set({ state: 'running', startedAt: at, rows })
    .where(and(eq(precomputations.id, id), eq(precomputations.state, 'queued')))
    .returning({ id: precomputations.id });
  if (begun.length === 0) return false;
  for (const [chunk, range] of ranges.entries()) {
    await tx.insert(precomputationChunks).values({ precomputation: id, chunk, ...range });
    await enqueue(tx, {
      kind: 'precomputation.chunk',
      payload: { precomputation: formatId('precomputation', id), chunk },
      jobKey: `precomputation.chunk:${id}:${chunk}`,
    });
  }
  return true;
}

/** A chunk that is still to be scored, with whose it is; undefined where it is done, or nobody wants it any more. */
export async function findChunkToScore(
  db: Executor,
  { id, chunk }: { id: string; chunk: number },
): Promise<{ precomputation: PrecomputationRow; fromKey: string; toKey: string } | undefined> {
  const [found] = await db
    .select({ precomputation: precomputations, chunk: precomputationChunks })
    .from(precomputationChunks)
    .innerJoin(precomputations, eq(precomputations.id, precomputationChunks.precomputation))
    .where(
      and(
        eq(precomputationChunks.precomputation, id),
        eq(precomputationChunks.chunk, chunk),
        eq(precomputations.state, 'running'),
      ),
    );
  if (!found || found.chunk.doneAt !== null) return undefined;
  const { fromKey, toKey } = found.chunk;
  return { precomputation: found.precomputation, fromKey, toKey };
}

/** Ends a precomputation that is under way. @returns false where it has ended before */
export async function endPrecomputation(
  db: Executor,
  id: string,
  outcome: { state: 'failed' | 'cancelled' | 'superseded'; error?: Failure; at: Date },
): Promise<boolean> {
  const { state, error, at } = outcome;
  const ended = await db
    .update(precomputations)
    .set({ state, endedAt: at, error: error ?? null })
    .where(and(eq(precomputations.id, id), inArray(precomputations.state, UNFINISHED)))
    .returning({ id: precomputations.id });
  return ended.length === 1;
}

/**
 * Takes the answers of a version that is rolled back out of use, those that are still being computed too, and puts the newest of the version that takes its place back into
 * use, where they are still kept.
 */
export async function withdrawPrecomputed(
  tx: Executor,
  { model, version, restored, at }: { model: string; version: number; restored: number; at: Date },
): Promise<void> {
  const of = and(eq(precomputations.model, model), eq(precomputations.version, version));
  const withdrawn = await tx
    .update(precomputations)
    .set({ state: 'superseded', endedAt: at })
    .where(and(of, inArray(precomputations.state, ['live', ...UNFINISHED])))
    .returning({ id: precomputations.id });
  if (withdrawn.length === 0) return;
  const [kept] = await tx
    .select({ id: precomputations.id })
    .from(precomputations)
    .where(
      and(
        eq(precomputations.model, model),
        eq(precomputations.version, restored),
        eq(precomputations.state, 'superseded'),
        sql`exists (select from precomputation_chunks c where c.precomputation = ${precomputations.id})`,
        sql`not exists (select from precomputation_chunks c where c.precomputation = ${precomputations.id} and c.done_at is null)`,
        sql`not exists (select from precomputations l where l.model = ${model} and l.state = 'live')`,
      ),
    )
    .orderBy(desc(precomputations.id))
    .limit(1);
  if (kept)
    await tx
      .update(precomputations)
      .set({ state: 'live', endedAt: null })
      .where(eq(precomputations.id, kept.id));
}

/**
 * Puts a precomputation whose chunks are all done into use, in place of the one before, unless it came too late: its version is not the champion any more, or a
 * later one answers already. The caller holds its row.
 */
export async function switchPrecomputed(
  tx: Executor,
  { id, model, version }: Pick<PrecomputationRow, 'id' | 'model' | 'version'>,
  at: Date,
): Promise<'live' | 'superseded'> {
  const [late] = await tx.execute<{ late: boolean }>(sql`
    select not exists (select from aliases a where a.model = ${model} and a.alias = 'champion' and a.version = ${version})
      or exists (select from precomputations p where p.model = ${model} and p.state = 'live' and p.id > ${id}::uuid) as late`);
  if (late?.late !== false) {
    await tx
      .update(precomputations)
      .set({ state: 'superseded', endedAt: at })
      .where(eq(precomputations.id, id));
    return 'superseded';
  }
  // First out, then in: two that answer are refused by the database at every instant.
  await tx
    .update(precomputations)
    .set({ state: 'superseded', endedAt: at })
    .where(
      and(eq(precomputations.model, model), eq(precomputations.state, 'live'), ne(precomputations.id, id)),
    );
  await tx.update(precomputations).set({ state: 'live', endedAt: at }).where(eq(precomputations.id, id));
  await tx.execute(sql`select pg_notify(${MODELS_CHANGED_CHANNEL}, ${model})`);
  return 'live';
}

export function toPrecomputation(row: PrecomputationRow): Precomputation {
  const { artifact: _, ...rest } = row;
  return {
    ...rest,
    id: formatId('precomputation', row.id),
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
