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
    truncated: predicted.length > limit || facts.length > limit,
  };
}

/**
 * Erases the predictions of a key and the facts about it or about them, in the caller's transaction. Records of the key up to now that a journal still holds
 * are refused from here on; what is predicted later is new. Shipping waits while it works, so that no record slips in between.
 */
export async function eraseRowsOfKey(
  tx: Executor,
  key: string,
  at: Date,
): Promise<{ predictions: number; groundTruth: number }> {
  // Before anything is read: from here on no insertion is under way, and the next one sees the key's row.
  await tx.execute(sql`lock table predictions, ground_truth in share row exclusive mode`);
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
  return { predictions: erased.length, groundTruth: facts + byKey.length };
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
