import { and, asc, desc, eq, gt, inArray, lt, sql } from 'drizzle-orm';
import {
  CHAMPION,
  NotFoundError,
  type Evaluation,
  type GateReport,
  type Lineage,
  type MetricValues,
  type Model,
  type ModelCard,
  type ModelVersion,
  type ModelVersionDetail,
  type Page,
  type PageQuery,
  type Signature,
  type StoredEvaluation,
  type Tags,
  type Verdict,
} from '@perennial/contract';
import {
  aliases,
  evaluations,
  modelTags,
  modelVersions,
  models,
  versionNotes,
  versionTags,
} from '../database/schema.ts';
import { MODELS_CHANGED_CHANNEL } from './aliases.ts';
import { NAME_KEY, NUMBER_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

type VersionRow = typeof modelVersions.$inferSelect;

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

export interface NewModelVersion {
  model: string;
  version: number;
  /** Null of an imported version, which no run made and no dataset of ours. */
  runId: string | null;
  artifactDigest: string;
  artifactBytes: number;
  datasetDigest: string | null;
  signature: Signature;
  lineage: Lineage;
  gate: GateReport | null;
  card: ModelCard;
  asOf: Date;
  createdAt: Date;
}

export async function insertModelVersion(tx: Executor, version: NewModelVersion): Promise<void> {
  await tx.insert(modelVersions).values(version);
}

export interface NewEvaluation {
  id: string;
  model: string;
  version: number;
  evaluation: Evaluation;
  createdAt: Date;
}

export async function insertEvaluation(tx: Executor, evaluation: NewEvaluation): Promise<void> {
  await tx.insert(evaluations).values({ ...evaluation, datasetDigest: evaluation.evaluation.dataset });
}

/** Evaluations of one version, oldest first. */
export async function listEvaluations(
  db: Executor,
  model: string,
  version: number,
): Promise<StoredEvaluation[]> {
  const rows = await db
    .select()
    .from(evaluations)
    .where(and(eq(evaluations.model, model), eq(evaluations.version, version)))
    .orderBy(asc(evaluations.id));
  return rows.map((row) => ({ ...row.evaluation, model, version, createdAt: row.createdAt.toISOString() }));
}

/** The version that a run has registered, if it has. */
export async function findVersionOfRun(db: Executor, runId: string): Promise<VersionRow | undefined> {
  const [row] = await db.select().from(modelVersions).where(eq(modelVersions.runId, runId));
  return row;
}

/**
 * The newest versions of a model in short, newest first, as they stand in the history on a card. Read from within the rows, since whole cards
 * would be megabytes.
 */
export async function listRecentVersions(
  db: Executor,
  model: string,
  limit: number,
): Promise<ModelCard['history']> {
  const rows = await db
    .select({
      version: modelVersions.version,
      createdAt: modelVersions.createdAt,
      verdict: sql<Verdict | null>`${modelVersions.gate}->>'verdict'`,
      metrics: sql<MetricValues>`coalesce(${modelVersions.card}#>'{evaluation,metrics}', '{}')`,
    })
    .from(modelVersions)
    .where(eq(modelVersions.model, model))
    .orderBy(desc(modelVersions.version))
    .limit(limit);
  return rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
}

/** @throws NotFoundError */
export async function getModel(db: Executor, name: string): Promise<Model> {
  const [model] = await selectModels(db, eq(models.name, name), 1);
  if (!model) throw new NotFoundError('model', name);
  return model;
}

/** Models by name. */
export async function listModels(db: Executor, query: PageQuery): Promise<Page<Model>> {
  const after = decodeCursor(query.cursor, NAME_KEY);
  const found = await selectModels(
    db,
    after === undefined ? undefined : gt(models.name, after),
    query.limit + 1,
  );
  return pageOf(found, query, { item: (model) => model, key: (model) => model.name });
}

async function selectModels(
  db: Executor,
  where: ReturnType<typeof eq> | undefined,
  limit: number,
): Promise<Model[]> {
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

/** @throws NotFoundError */
export async function getModelVersion(
  db: Executor,
  model: string,
  version: number,
): Promise<ModelVersionDetail> {
  const [row] = await db
    .select()
    .from(modelVersions)
    .where(and(eq(modelVersions.model, model), eq(modelVersions.version, version)));
  if (!row) throw new NotFoundError('version', `${model}@${version}`);
  return { ...toVersion(row, await saidOf(db, model, [version])), card: row.card };
}

/** Versions of a model, newest first. @throws NotFoundError when there is no such model */
export async function listModelVersions(
  db: Executor,
  model: string,
  query: PageQuery,
): Promise<Page<ModelVersion>> {
  await getModel(db, model);
  const before = decodeCursor(query.cursor, NUMBER_KEY);
  const rows = await db
    .select()
    .from(modelVersions)
    .where(
      and(
        eq(modelVersions.model, model),
        before === undefined ? undefined : lt(modelVersions.version, Number(before)),
      ),
    )
    .orderBy(desc(modelVersions.version))
    .limit(query.limit + 1);
  const said = await saidOf(
    db,
    model,
    rows.map((row) => row.version),
  );
  return pageOf(rows, query, { item: (row) => toVersion(row, said), key: (row) => String(row.version) });
}

/** What may change about versions, beside their rows. */
interface SaidOfVersions {
  aliases: { alias: string; version: number }[];
  notes: { version: number; description: string }[];
  tags: { version: number; key: string; value: string }[];
}

async function saidOf(db: Executor, model: string, versions: number[]): Promise<SaidOfVersions> {
  if (versions.length === 0) return { aliases: [], notes: [], tags: [] };
  return {
    aliases: await db
      .select({ alias: aliases.alias, version: aliases.version })
      .from(aliases)
      .where(and(eq(aliases.model, model), inArray(aliases.version, versions)))
      .orderBy(asc(aliases.alias)),
    notes: await db
      .select()
      .from(versionNotes)
      .where(and(eq(versionNotes.model, model), inArray(versionNotes.version, versions))),
    tags: await db
      .select()
      .from(versionTags)
      .where(and(eq(versionTags.model, model), inArray(versionTags.version, versions)))
      .orderBy(asc(versionTags.key)),
  };
}

function toVersion(row: VersionRow, said: SaidOfVersions): ModelVersion {
  const ofThis = <Item extends { version: number }>(items: Item[]) =>
    items.filter(({ version }) => version === row.version);
  return {
    model: row.model,
    version: row.version,
    artifact: row.artifactDigest,
    artifactBytes: row.artifactBytes,
    signature: row.signature,
    createdAt: row.createdAt.toISOString(),
    asOf: row.asOf.toISOString(),
    lineage: row.lineage,
    gate: row.gate,
    aliases: ofThis(said.aliases).map(({ alias }) => alias),
    description: ofThis(said.notes)[0]?.description ?? '',
    tags: Object.fromEntries(ofThis(said.tags).map(({ key, value }) => [key, value])),
  };
}
