import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { NotFoundError, formatId, type Page, type PageQuery, type Prediction } from '@perennial/contract';
import { predictions } from '../database/schema.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

type Row = typeof predictions.$inferSelect;

/** @throws NotFoundError when it is not in the database (yet: a local journal may still hold it) */
export async function getPrediction(db: Executor, id: string): Promise<Prediction> {
  const [row] = await db.select().from(predictions).where(eq(predictions.id, id));
  if (!row) throw new NotFoundError('prediction', formatId('prediction', id));
  return toPrediction(row);
}

/** Predictions of a model, newest first. */
export async function listPredictions(
  db: Executor,
  query: PageQuery & { model: string; key?: string | undefined },
): Promise<Page<Prediction>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(predictions)
    .where(
      and(
        eq(predictions.model, query.model),
        query.key === undefined ? undefined : eq(predictions.key, query.key),
        before === undefined ? undefined : lt(predictions.id, before),
      ),
    )
    .orderBy(desc(predictions.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toPrediction, key: (row) => row.id });
}

/** The models of those of the given predictions that the database holds. */
export async function modelsOfPredictions(db: Executor, ids: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let start = 0; start < ids.length; start += 5_000) {
    const rows = await db
      .select({ id: predictions.id, model: predictions.model })
      .from(predictions)
      .where(sql`${predictions.id} = any(${sql.param(ids.slice(start, start + 5_000))}::uuid[])`);
    for (const row of rows) found.set(row.id, row.model);
  }
  return found;
}

/** Which of the keys have had a prediction of the model. */
export async function predictedKeys(db: Executor, model: string, keys: string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (let start = 0; start < keys.length; start += 5_000) {
    const rows = await db
      .selectDistinct({ key: predictions.key })
      .from(predictions)
      .where(
        and(
          eq(predictions.model, model),
          sql`${predictions.key} = any(${sql.param(keys.slice(start, start + 5_000))}::text[])`,
        ),
      );
    for (const row of rows) if (row.key !== null) found.add(row.key);
  }
  return found;
}

function toPrediction(row: Row): Prediction {
  return { ...row, id: formatId('prediction', row.id), at: row.at.toISOString() };
}
