import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Database } from '../database/connection.ts';
import { precomputationChunks, precomputations } from '../database/schema.ts';
import { transaction } from '../database/transaction.ts';
import { notErased } from './erased.ts';
import type { Executor } from './executor.ts';
import { switchPrecomputed } from './precomputations.ts';

/** An answer for an entity, with the row that it was computed from; output and row as JSON. */
export interface PrecomputedAnswer {
  key: string;
  output: string;
  features: string;
  featuresAt: Date;
}

export interface ScoredChunk {
  /** Plain id of the precomputation. */
  id: string;
  chunk: number;
  answers: readonly PrecomputedAnswer[];
  /** Entities whose rows the model's signature refuses. */
  refused: number;
  at: Date;
}

/** What became of a chunk: `gone`, where nobody wants it any more or it was done before. */
export type ChunkOutcome = 'gone' | 'done' | 'live' | 'superseded';

/** Undoes the transaction of a chunk that is gone. */
class ChunkGone extends Error {}

/** Writes the answers of a chunk, once; with the last chunk's the precomputation is put into use. */
export async function saveChunk(database: Pick<Database, 'orm'>, scored: ScoredChunk): Promise<ChunkOutcome> {
  try {
    return await transaction(database, (tx) => writeChunk(tx, scored));
  } catch (error) {
    if (error instanceof ChunkGone) return 'gone';
    throw error;
  }
}

/** The answers are written before the precomputation's row is taken, so that workers wait for each other for the end alone. */
async function writeChunk(tx: Executor, scored: ScoredChunk): Promise<ChunkOutcome> {
  const { id, chunk, answers, refused, at } = scored;
  await insertAnswers(tx, scored);
  const [row] = await tx
    .select()
    .from(precomputations)
    .where(eq(precomputations.id, id))
    .for('no key update');
  if (row?.state !== 'running') throw new ChunkGone();
  const marked = await tx
    .update(precomputationChunks)
    .set({ doneAt: at })
    .where(
      and(
        eq(precomputationChunks.precomputation, id),
        eq(precomputationChunks.chunk, chunk),
        isNull(precomputationChunks.doneAt),
      ),
    )
    .returning({ chunk: precomputationChunks.chunk });
  if (marked.length === 0) throw new ChunkGone();
  const done = row.done + answers.length + refused;
  await tx
    .update(precomputations)
    .set({ done, refused: row.refused + refused })
    .where(eq(precomputations.id, id));
  const [left] = await tx
    .select({ chunk: precomputationChunks.chunk })
    .from(precomputationChunks)
    .where(and(eq(precomputationChunks.precomputation, id), isNull(precomputationChunks.doneAt)))
    .limit(1);
  return left === undefined ? switchPrecomputed(tx, row, at) : 'done';
}

async function insertAnswers(tx: Executor, { id, answers, at }: ScoredChunk): Promise<void> {
  if (answers.length === 0) return;
  const column = (read: (answer: PrecomputedAnswer) => string) => sql.param(answers.map(read));
  await tx.execute(sql`
    insert into precomputed_predictions (precomputation, key, output, features, features_at, computed_at)
    select ${id}::uuid, r.key, r.output::jsonb, r.features::jsonb, r.at, ${at.toISOString()}::timestamptz
    from unnest(${column(({ key }) => key)}::text[], ${column(({ output }) => output)}::text[],
      ${column(({ features }) => features)}::text[], ${column(({ featuresAt }) => featuresAt.toISOString())}::timestamptz[])
      as r(key, output, features, at)
    where ${notErased(sql`r.key`, sql`r.at`)}
    on conflict do nothing`);
}

/** An answer as it was kept. */
export interface PrecomputedRow {
  key: string;
  /** As JSON. */
  output: string;
  /** As JSON. */
  features: string;
  featuresAt: Date;
  computedAt: Date;
}

/** The answers of one precomputation for some keys; those without one are left out. */
export async function findPrecomputed(
  { sql }: Pick<Database, 'sql'>,
  id: string,
  keys: readonly string[],
): Promise<PrecomputedRow[]> {
  return sql<PrecomputedRow[]>`
    select key, output::text as output, features::text as features, features_at as "featuresAt", computed_at as "computedAt"
    from precomputed_predictions where precomputation = ${id} and key = any(${keys}::text[])`;
}

/** Rows of entities by key; those that are not known are left out. */
export async function findEntityRows(
  { sql }: Pick<Database, 'sql'>,
  model: string,
  keys: readonly string[],
): Promise<{ key: string; features: string; at: Date }[]> {
  return sql<{ key: string; features: string; at: Date }[]>`
    select key, features::text as features, at from entity_features
    where model = ${model} and key = any(${keys}::text[])`;
}

/** Answers that a rollback may put back into use are kept for so long after they were replaced. */
export const KEPT_SUPERSEDED_MILLISECONDS = 24 * 3_600_000;

/** A server that has not heard of the switch yet may still look the others up. */
const UNHEARD_MILLISECONDS = 10 * 60_000;

const DELETED_AT_ONCE = 10_000;

/**
 * Removes the answers that nobody is given any more: of precomputations that failed or were cancelled, and of those that were replaced, the newest of each model after a day
 * and the others after ten minutes. The record of the precomputation stays.
 * @returns how many answers were removed
 */
export async function dropPrecomputed(
  { orm }: Pick<Database, 'orm'>,
  { now, signal }: { now: Date; signal?: AbortSignal },
): Promise<number> {
  let removed = 0;
  for (const id of await unusedPrecomputations(orm, now)) {
    for (let deleted = DELETED_AT_ONCE; deleted === DELETED_AT_ONCE && signal?.aborted !== true;) {
      deleted = await deleteAnswers(orm, id);
      removed += deleted;
    }
    if (signal?.aborted === true) break;
    // Another may be deleting the same answers: as long as there are any, the sign stays.
    await orm.execute(sql`
      delete from precomputation_chunks where precomputation = ${id}::uuid
        and not exists (select from precomputed_predictions where precomputation = ${id}::uuid)`);
  }
  return removed;
}

/** Its chunks are the sign that a precomputation may have answers. */
async function unusedPrecomputations(db: Executor, now: Date): Promise<string[]> {
  const newestBefore = new Date(now.getTime() - KEPT_SUPERSEDED_MILLISECONDS).toISOString();
  const othersBefore = new Date(now.getTime() - UNHEARD_MILLISECONDS).toISOString();
  const rows = await db.execute<{ id: string }>(sql`
    with unused as (
      select id, state, model, ended_at, not exists (
        select from precomputation_chunks c where c.precomputation = p.id and c.done_at is null) as complete
      from precomputations p where state in ('superseded', 'failed', 'cancelled')
        and exists (select from precomputation_chunks c where c.precomputation = p.id)),
    ranked as (
      select *, row_number() over (partition by model, state, complete order by ended_at desc, id desc) as rank from unused)
    select id from ranked where state <> 'superseded' or not complete
      or ended_at < (case when rank = 1 then ${newestBefore}::timestamptz else ${othersBefore}::timestamptz end)`);
  return rows.map(({ id }) => id);
}

async function deleteAnswers(db: Executor, id: string): Promise<number> {
  const deleted = await db.execute(sql`
    delete from precomputed_predictions where precomputation = ${id}::uuid and key in (
      select key from precomputed_predictions where precomputation = ${id}::uuid limit ${DELETED_AT_ONCE}) returning 1`);
  return deleted.length;
}
