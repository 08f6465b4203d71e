import { and, asc, desc, eq, inArray, notInArray, sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import type { Lineage, Tags } from '@perennial/contract';
import {
  aliasMoves,
  aliases,
  modelTags,
  modelVersions,
  models,
  versionNotes,
  versionTags,
} from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** `like` and `ilike` take `%` and `_` as PostgreSQL does, and no character that takes them at their word. */
export type SearchComparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'like' | 'ilike' | 'in' | 'not in';

export interface SearchCondition<Attribute extends string> {
  of:
    | { attribute: Attribute }
    | { tag: string; /** Whether it holds where there is no such tag. */ whereAbsent: boolean };
  comparison: SearchComparison;
  /** One, but of `in` and `not in`. */
  values: readonly (string | number)[];
}

/** What is looked for and in which order. All conditions hold; what is equal in the order is ordered by name, newest version first. */
export interface Search<Attribute extends string, Order extends string> {
  conditions: readonly SearchCondition<Attribute>[];
  orderBy: readonly { attribute: Order; ascending: boolean }[];
  /** Only these models. @default all */
  models?: readonly string[] | null;
  limit: number;
  /** Rows to leave out at the front. */
  offset: number;
}

export type ModelAttribute = 'name';
export type ModelOrder = 'name' | 'created' | 'changed';
export type VersionAttribute = 'name' | 'version' | 'run' | 'artifact';
export type VersionOrder = 'name' | 'version' | 'created' | 'changed';

/** A model as a registry's client sees it. */
export interface FoundModel {
  name: string;
  description: string;
  createdAt: Date;
  /** Its newest version or alias move. */
  changedAt: Date;
  latestVersion: number;
  tags: Tags;
  aliases: { alias: string; version: number }[];
}

/** A version as a registry's client sees it, without what takes room: card, gate report, signature. */
export interface FoundVersion {
  model: string;
  version: number;
  description: string;
  createdAt: Date;
  /** The newest move of an alias to it or away from it. */
  changedAt: Date;
  artifact: string;
  lineage: Lineage;
  tags: Tags;
  aliases: string[];
}

const MODEL_CHANGED = sql`greatest(models.created_at,
  (select max(one.created_at) from ${modelVersions} one where one.model = models.name),
  (select max(move.at) from ${aliasMoves} move where move.model = models.name))`;

export async function searchModels(
  db: Executor,
  search: Search<ModelAttribute, ModelOrder>,
): Promise<FoundModel[]> {
  const columns = { name: models.name, created: models.createdAt, changed: MODEL_CHANGED };
  return db
    .select({
      name: models.name,
      description: models.description,
      createdAt: models.createdAt,
      changedAt: MODEL_CHANGED.mapWith(models.createdAt),
      latestVersion: models.latestVersion,
      tags: sql<Tags>`(
        select coalesce(jsonb_object_agg(tag.key, tag.value), '{}') from ${modelTags} tag where tag.model = models.name)`,
      aliases: sql<FoundModel['aliases']>`(
        select coalesce(jsonb_agg(jsonb_build_object('alias', one.alias, 'version', one.version) order by one.alias), '[]')
        from ${aliases} one where one.model = models.name)`,
    })
    .from(models)
    .where(
      and(
        search.models ? inArray(models.name, [...search.models]) : undefined,
        ...search.conditions.map(({ of, comparison, values }) =>
          'tag' in of
            ? tagHolds({ ...of, comparison, values }, modelTagValue(of.tag))
            : compare(models.name, comparison, values),
        ),
      ),
    )
    .orderBy(...orderOf(search.orderBy, columns), asc(models.name))
    .limit(search.limit)
    .offset(search.offset);
}

const VERSION_CHANGED = sql`greatest(model_versions.created_at,
  (select max(move.at) from ${aliasMoves} move where move.model = model_versions.model
    and model_versions.version in (move.version, move.previous_version)))`;

const IS_LATEST = sql`model_versions.version = (
  select latest.latest_version from ${models} latest where latest.name = model_versions.model)`;

export async function searchVersions(
  db: Executor,
  search: Search<VersionAttribute, VersionOrder> & {
    /** Only the newest version of each model. @default false */
    latestOnly?: boolean;
  },
): Promise<FoundVersion[]> {
  const columns = {
    name: modelVersions.model,
    version: modelVersions.version,
    created: modelVersions.createdAt,
    changed: VERSION_CHANGED,
  };
  const compared = {
    ...columns,
    run: sql`${modelVersions.lineage}->>'run'`,
    artifact: modelVersions.artifactDigest,
  };
  return db
    .select({
      model: modelVersions.model,
      version: modelVersions.version,
      description: sql<string>`coalesce(${versionNotes.description}, '')`,
      createdAt: modelVersions.createdAt,
      changedAt: VERSION_CHANGED.mapWith(modelVersions.createdAt),
      artifact: modelVersions.artifactDigest,
      lineage: modelVersions.lineage,
      tags: sql<Tags>`(
        select coalesce(jsonb_object_agg(tag.key, tag.value), '{}') from ${versionTags} tag
        where tag.model = model_versions.model and tag.version = model_versions.version)`,
      aliases: sql<string[]>`(
        select coalesce(jsonb_agg(one.alias order by one.alias), '[]') from ${aliases} one
        where one.model = model_versions.model and one.version = model_versions.version)`,
    })
    .from(modelVersions)
    .leftJoin(
      versionNotes,
      and(eq(versionNotes.model, modelVersions.model), eq(versionNotes.version, modelVersions.version)),
    )
    .where(
      and(
        search.models ? inArray(modelVersions.model, [...search.models]) : undefined,
        search.latestOnly ? IS_LATEST : undefined,
        ...search.conditions.map(({ of, comparison, values }) =>
          'tag' in of
            ? tagHolds({ ...of, comparison, values }, versionTagValue(of.tag))
            : compare(compared[of.attribute], comparison, values),
        ),
      ),
    )
    .orderBy(...orderOf(search.orderBy, columns), asc(modelVersions.model), desc(modelVersions.version))
    .limit(search.limit)
    .offset(search.offset);
}

function modelTagValue(key: string): SQL {
  return sql`(select tag.value from ${modelTags} tag where tag.model = models.name and tag.key = ${key})`;
}

function versionTagValue(key: string): SQL {
  return sql`(select tag.value from ${versionTags} tag
    where tag.model = model_versions.model and tag.version = model_versions.version and tag.key = ${key})`;
}

function tagHolds(
  { whereAbsent, comparison, values }: { whereAbsent: boolean } & Omit<SearchCondition<never>, 'of'>,
  value: SQL,
): SQL {
  return sql`coalesce(${compare(value, comparison, values)}, ${whereAbsent})`;
}

function compare(
  column: SQLWrapper,
  comparison: SearchComparison,
  values: readonly (string | number)[],
): SQL {
  const [value] = values;
  switch (comparison) {
    case 'in':
      return inArray(sql`${column}`, [...values]);
    case 'not in':
      return notInArray(sql`${column}`, [...values]);
    case 'like':
      return sql`${column} like ${value} escape ''`;
    case 'ilike':
      return sql`${column} ilike ${value} escape ''`;
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return sql`${column} ${sql.raw(comparison)} ${value}`;
  }
}

function orderOf<Order extends string>(
  orderBy: Search<string, Order>['orderBy'],
  columns: Record<Order, SQLWrapper>,
): SQL[] {
  return orderBy.map(({ attribute, ascending }) =>
    ascending ? sql`${columns[attribute]} asc` : sql`${columns[attribute]} desc`,
  );
}
