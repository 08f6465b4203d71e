import { and, asc, desc, eq, getTableColumns, inArray, lt, sql } from 'drizzle-orm';
import {
  NotFoundError,
  type Evaluation,
  type GateReport,
  type Lineage,
  type MetricValues,
  type ModelCard,
  type ModelVersion,
  type ModelVersionDetail,
  type Page,
  type PageQuery,
  type Signature,
  type StoredEvaluation,
  type Verdict,
} from '@perennial/contract';
import { aliases, evaluations, modelVersions, versionNotes, versionTags } from '../database/schema.ts';
import { NUMBER_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';
import { getModel } from './models.ts';

type VersionRow = typeof modelVersions.$inferSelect;

/** A card may take a megabyte, and lists do not show it. */
const { card: _card, ...withoutCard } = getTableColumns(modelVersions);

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
    .select(withoutCard)
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

function toVersion(row: Omit<VersionRow, 'card'>, said: SaidOfVersions): ModelVersion {
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
