import { and, desc, eq, gte, lt, sql } from 'drizzle-orm';
import {
  DAY_MILLISECONDS,
  NotFoundError,
  formatId,
  type Page,
  type PageQuery,
  type Prediction,
} from '@perennial/contract';
import { smallestUuidAt } from '../database/partitions.ts';
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

/** How far back from now is looked, in days, where the look before did not find a key; at last, all the way. */
const LOOKS_BACK = [2, 30];

/**
 * Which of the keys have had a prediction of the model. Looked for among the latest predictions first, where those of most facts are: every day's partition is a look of its own for each key, so that
 * looking through all of them at once took six times as long after a month.
 */
export async function predictedKeys(
  db: Executor,
  { model, keys, now }: { model: string; keys: readonly string[]; now: Date },
): Promise<Set<string>> {
  const found = new Set<string>();
  let before: string | undefined;
  for (const days of [...LOOKS_BACK, undefined]) {
    const missing = keys.filter((key) => !found.has(key));
    if (missing.length === 0) break;
    const from = days === undefined ? undefined : smallestUuidAt(daysBefore(now, days));
    for (const key of await keysWithin(db, { model, keys: missing, from, before })) found.add(key);
    before = from;
  }
  return found;
}

function daysBefore(now: Date, days: number): Date {
  return new Date(Math.max(0, now.getTime() - days * DAY_MILLISECONDS));
}

/** Which of the keys have had a prediction whose id is within bounds; a missing one is none. */
async function keysWithin(
  db: Executor,
  {
    model,
    keys,
    from,
    before,
  }: { model: string; keys: string[]; from?: string | undefined; before?: string | undefined },
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let start = 0; start < keys.length; start += 5_000) {
    const rows = await db
      .selectDistinct({ key: predictions.key })
      .from(predictions)
      .where(
        and(
          eq(predictions.model, model),
          sql`${predictions.key} = any(${sql.param(keys.slice(start, start + 5_000))}::text[])`,
          from === undefined ? undefined : gte(predictions.id, from),
          before === undefined ? undefined : lt(predictions.id, before),
        ),
      );
    for (const row of rows) if (row.key !== null) found.add(row.key);
  }
  return found;
}

function toPrediction(row: Row): Prediction {
  return { ...row, id: formatId('prediction', row.id), at: row.at.toISOString() };
}
