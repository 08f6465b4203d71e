import { and, asc, eq, gt, ilike, inArray, or, sql, type SQL } from 'drizzle-orm';
import {
  CHAMPION,
  NotFoundError,
  type Model,
  type Page,
  type PageQuery,
  type Tags,
} from '@perennial/contract';
import { aliases, modelTags, models } from '../database/schema.ts';
import { MODELS_CHANGED_CHANNEL } from './aliases.ts';
import { NAME_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

/**
 * The next version number of a model, which is created if it is new. The model's row stays locked until the transaction ends, so numbers
 * have no gaps and no twins.
 */
export async function takeVersionNumber(tx: Executor, model: string, at: Date): Promise<number> {
  const [row] = await tx
    .insert(models)
    .values({ name: model, createdAt: at, latestVersion: 1 })
    .onConflictDoUpdate({ target: models.name, set: { latestVersion: sql`${models.latestVersion} + 1` } })
    .returning({ version: models.latestVersion });
  if (!row) throw new Error('insert … returning gave no row');
  if (row.version === 1) await tx.execute(sql`select pg_notify(${MODELS_CHANGED_CHANNEL}, ${model})`);
  return row.version;
}

/** Holds a model's row until the transaction ends, so that what is decided of the model is decided one by one. @throws NotFoundError */
export async function lockModel(tx: Executor, name: string): Promise<{ description: string }> {
  const [row] = await tx
    .select({ description: models.description })
    .from(models)
    .where(eq(models.name, name))
    .for('update');
  if (!row) throw new NotFoundError('model', name);
  return row;
}

/** @throws NotFoundError */
export async function getModel(db: Executor, name: string): Promise<Model> {
  const [model] = await selectModels(db, eq(models.name, name), 1);
  if (!model) throw new NotFoundError('model', name);
  return model;
}

/** What models are looked for by; all of it must hold. */
export interface ModelQuery extends PageQuery {
  /** Words, parted by spaces, each of which must stand in the name, the description, or a tag's name or value; upper and lower case are one. */
  search?: string | undefined;
  /** `key=value`, or `key` alone: whatever its value. */
  tag?: string | undefined;
  /** Only these. @default all */
  models?: readonly string[] | null;
}

/** Models by name. */
export async function listModels(db: Executor, query: ModelQuery): Promise<Page<Model>> {
  const after = decodeCursor(query.cursor, NAME_KEY);
  const where = and(
    after === undefined ? undefined : gt(models.name, after),
    query.models ? inArray(models.name, [...query.models]) : undefined,
    query.tag === undefined ? undefined : isTagged(query.tag),
    ...wordsOf(query.search).map(holdsWord),
  );
  const found = await selectModels(db, where, query.limit + 1);
  return pageOf(found, query, { item: (model) => model, key: (model) => model.name });
}

function wordsOf(search = ''): string[] {
  return search.split(/\s+/u).filter((word) => word !== '');
}

function holdsWord(word: string): SQL | undefined {
  const pattern = `%${escapeLike(word)}%`;
  const inTag = sql`exists (
    select 1 from ${modelTags} where ${modelTags.model} = ${models.name}
    and (${ilike(modelTags.key, pattern)} or ${ilike(modelTags.value, pattern)}))`;
  return or(ilike(models.name, pattern), ilike(models.description, pattern), inTag);
}

function isTagged(tag: string): SQL {
  // No tag's name holds an equals sign, so the first one ends it.
  const [key = '', ...rest] = tag.split('=');
  const value = rest.length === 0 ? sql`` : sql` and ${modelTags.value} = ${rest.join('=')}`;
  return sql`exists (
    select 1 from ${modelTags} where ${modelTags.model} = ${models.name} and ${modelTags.key} = ${key}${value})`;
}

/** A text that `like` takes at its word. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

async function selectModels(db: Executor, where: SQL | undefined, limit: number): Promise<Model[]> {
  const rows = await db
    .select({
      model: models,
      champion: aliases.version,
      tags: sql<Tags>`(
        select coalesce(jsonb_object_agg(${modelTags.key}, ${modelTags.value}), '{}')
        from ${modelTags} where ${modelTags.model} = ${models.name})`,
    })
    .from(models)
    .leftJoin(aliases, and(eq(aliases.model, models.name), eq(aliases.alias, CHAMPION)))
    .where(where)
    .orderBy(asc(models.name))
    .limit(limit);
  return rows.map(({ model, champion, tags }) => ({
    name: model.name,
    description: model.description,
    tags,
    createdAt: model.createdAt.toISOString(),
    latestVersion: model.latestVersion,
    championVersion: champion,
  }));
}
