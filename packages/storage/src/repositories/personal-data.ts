import { createHash } from 'node:crypto';
import { eq, inArray, or, sql } from 'drizzle-orm';
import { formatId } from '@perennial/contract';
import { erasedKeys, groundTruth, predictions } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** SHA-256 of a key's UTF-8 bytes, in hexadecimal: what stands for the key where it must not be read. */
export function keyHash(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

type Row = Record<string, unknown>;

/** What the tables hold about a key, of all models. */
export interface RowsOfKey {
  predictions: Row[];
  groundTruth: Row[];
  entityFeatures: Row[];
  precomputedPredictions: Row[];
  /** Whether there is more of either than was asked for. */
  truncated: boolean;
}

/** Predictions of a key and the facts about it or about them, oldest first, at most so many of each. */
export async function rowsOfKey(db: Executor, key: string, limit: number): Promise<RowsOfKey> {
  const predicted = await db
    .select()
    .from(predictions)
    .where(inEveryModel(key))
    .orderBy(predictions.id)
    .limit(limit + 1);
  const ids = predicted.slice(0, limit).map(({ id }) => id);
  const facts = await db
    .select()
    .from(groundTruth)
    .where(
      or(
        sql`(${groundTruth.model}, ${groundTruth.key}) in (select name, ${key}::text from models)`,
        sql`${groundTruth.predictionId} = any(${`{${ids.join(',')}}`}::uuid[])`,
      ),
    )
    .orderBy(groundTruth.id)
    .limit(limit + 1);
  return {
    predictions: predicted
      .slice(0, limit)
      .map((row) => ({ ...row, id: formatId('prediction', row.id), at: row.at.toISOString() })),
    groundTruth: facts.slice(0, limit).map((row) => ({
      ...row,
      id: formatId('groundTruth', row.id),
      predictionId: row.predictionId === null ? null : formatId('prediction', row.predictionId),
      observedAt: row.observedAt.toISOString(),
      receivedAt: row.receivedAt.toISOString(),
    })),
    ...(await servedRowsOfKey(db, key, limit)),
    truncated: predicted.length > limit || facts.length > limit,
  };
}

/** What is kept to answer with about a key: there is one row of each model, and one of each precomputation. */
async function servedRowsOfKey(
  db: Executor,
  key: string,
  limit: number,
): Promise<Pick<RowsOfKey, 'entityFeatures' | 'precomputedPredictions'>> {
  const features = await db.execute<{ row: Row }>(sql`
    select to_jsonb(f) as row from entity_features f where ${ofKey.entityFeatures(key)} order by model limit ${limit}`);
  const answers = await db.execute<{ row: Row }>(sql`
    select to_jsonb(a) || jsonb_build_object('model', p.model, 'version', p.version) as row
    from precomputed_predictions a join precomputations p on p.id = a.precomputation
    where ${ofKey.precomputed(key)} order by precomputation limit ${limit}`);
  return {
    entityFeatures: features.map(({ row }) => row),
    precomputedPredictions: answers.map(({ row }) => row),
  };
}

/** The indices are by model, or precomputation, and key: without the former, all rows would be read. A model without a version has entities already. */
const ofKey = {
  entityFeatures: (key: string) =>
    sql`(model, key) in (select name, ${key}::text from models union select name, ${key}::text from pipelines)`,
  precomputed: (key: string) => sql`(precomputation, key) in (select id, ${key}::text from precomputations)`,
};

/** The channel on which an erasure is announced to whoever keeps rows in memory. */
export const KEY_ERASED_CHANNEL = 'key_erased';

/** Erases what is kept to answer with, and has it forgotten by those that keep it in memory. */
async function eraseServedRows(
  tx: Executor,
  key: string,
): Promise<{ entityFeatures: number; precomputedPredictions: number }> {
  const features = await tx.execute(
    sql`delete from entity_features where ${ofKey.entityFeatures(key)} returning 1`,
  );
  const answers = await tx.execute(
    sql`delete from precomputed_predictions where ${ofKey.precomputed(key)} returning 1`,
  );
  await tx.execute(sql`select pg_notify(${KEY_ERASED_CHANNEL}, '')`);
  return { entityFeatures: features.length, precomputedPredictions: answers.length };
}

/** How many rows of each table were erased. */
export interface ErasedRows {
  predictions: number;
  groundTruth: number;
  entityFeatures: number;
  precomputedPredictions: number;
}

/**
 * Erases the predictions of a key and the facts about it or about them, in the caller's transaction. Records of the key up to now that a journal still holds
 * are refused from here on; what is predicted later is new. Shipping waits while it works, so that no record slips in between.
 */
export async function eraseRowsOfKey(tx: Executor, key: string, at: Date): Promise<ErasedRows> {
  // Before anything is read: from here on no insertion is under way, and the next one sees the key's row.
  await tx.execute(
    sql`lock table predictions, ground_truth, entity_features, precomputed_predictions in share row exclusive mode`,
  );
  const hash = keyHash(key);
  await tx
    .insert(erasedKeys)
    .values({ keyHash: hash, erasedAt: at })
    .onConflictDoUpdate({
      target: erasedKeys.keyHash,
      set: { erasedAt: sql`greatest(${erasedKeys.erasedAt}, excluded.erased_at)` },
    });
  const erased = await tx.delete(predictions).where(inEveryModel(key)).returning({ id: predictions.id });
  let facts = 0;
  for (let start = 0; start < erased.length; start += 5_000) {
    const ids = erased.slice(start, start + 5_000).map(({ id }) => id);
    const rows = await tx
      .delete(groundTruth)
      .where(inArray(groundTruth.predictionId, ids))
      .returning({ id: groundTruth.id });
    facts += rows.length;
  }
  const byKey = await tx
    .delete(groundTruth)
    .where(eq(groundTruth.key, key))
    .returning({ id: groundTruth.id });
  return {
    predictions: erased.length,
    groundTruth: facts + byKey.length,
    ...(await eraseServedRows(tx, key)),
  };
}

/** The index is by model and key: without the models, all rows would be read. Every prediction's model is registered. */
function inEveryModel(key: string) {
  return sql`(${predictions.model}, ${predictions.key}) in (select name, ${key}::text from models)`;
}

/** Deletes facts about predictions whose ids are below the given one, at most so many. @returns how many */
export async function deleteGroundTruthBefore(db: Executor, id: string, limit: number): Promise<number> {
  const rows = await db.execute(sql`
    delete from ground_truth where id in (
      select id from ground_truth where prediction_id < ${id}::uuid limit ${limit}) returning 1`);
  return rows.length;
}
