import { sql } from 'drizzle-orm';
import { notErased } from './erased.ts';
import type { Executor } from './executor.ts';

/** The last known row of an entity, with its columns as JSON. */
export interface EntityRow {
  key: string;
  features: string;
  at: Date;
}

/**
 * Puts the last known rows of entities where they are looked up. A row that is there and happened later stays; one that was erased, and happened before that, is not
 * brought back.
 * @returns how many were written
 */
export async function saveEntityRows(
  tx: Executor,
  { model, dataset, rows }: { model: string; dataset: string; rows: readonly EntityRow[] },
): Promise<number> {
  // In the order of their keys, so that two that write the same rows wait for each other and do not meet head-on.
  const written = await tx.execute(sql`
    insert into entity_features (model, key, features, at, dataset)
    select ${model}, r.key, r.features::jsonb, r.at, ${dataset}
    from ${unnested(rows)} as r(key, features, at)
    where ${notErased(sql`r.key`, sql`r.at`)}
    order by r.key
    on conflict (model, key) do update set features = excluded.features, at = excluded.at, dataset = excluded.dataset
    where entity_features.at < excluded.at
      or (entity_features.at = excluded.at and entity_features.features <> excluded.features)
    returning 1`);
  return written.length;
}

function unnested(rows: readonly EntityRow[]) {
  const keys = sql.param(rows.map(({ key }) => key));
  const features = sql.param(rows.map((row) => row.features));
  const times = sql.param(rows.map(({ at }) => at.toISOString()));
  return sql`unnest(${keys}::text[], ${features}::text[], ${times}::timestamptz[])`;
}

/** The rows of the entities between two keys, both included, by key. */
export async function entityRowsBetween(
  db: Executor,
  { model, fromKey, toKey }: { model: string; fromKey: string; toKey: string },
): Promise<EntityRow[]> {
  return db.execute<EntityRow & Record<string, unknown>>(sql`
    select key, features::text as features, at from entity_features
    where model = ${model} and key >= ${fromKey} and key <= ${toKey} order by key`);
}

/** A stretch of the entities of a model, by key. */
export interface KeyRange {
  fromKey: string;
  toKey: string;
  rows: number;
}

/** All entities of a model in stretches of so many; the last has fewer. */
export async function entityRanges(db: Executor, model: string, rows: number): Promise<KeyRange[]> {
  return db.execute<KeyRange & Record<string, unknown>>(sql`
    select min(key) as "fromKey", max(key) as "toKey", count(*)::int as rows
    from (select key, (row_number() over (order by key) - 1) / ${rows}::int as stretch
      from entity_features where model = ${model}) as numbered
    group by stretch order by stretch`);
}

/** Removes the rows of models that are served in no way that needs them, at most so many. @returns how many */
export async function deleteUnneededEntityRows(db: Executor, limit: number): Promise<number> {
  const deleted = await db.execute(sql`
    delete from entity_features where (model, key) in (
      select f.model, f.key from entity_features f
      where f.model in (select name from endpoints
        where not (serving->'modes' ? 'offline') and serving #> '{cache,features}' is null)
      limit ${limit}) returning 1`);
  return deleted.length;
}
