import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm';
import {
  CHAMPION,
  ConflictError,
  NotFoundError,
  formatId,
  type Alias,
  type AliasMove,
  type Page,
  type PageQuery,
} from '@perennial/contract';
import { aliasMoves, aliases, modelVersions, models } from '../database/schema.ts';
import { NAME_KEY, NUMBER_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';
import type { Decision } from './releases.ts';

/** The channel on which new models and alias moves are announced: what serving has to know. The payload is the model's name. */
export const MODELS_CHANGED_CHANNEL = 'models_changed';

export interface AliasChange extends Decision {
  model: string;
  alias: string;
  version: number;
  /** The revision the decision was taken on; 0 when the alias did not exist. */
  expectedRevision: number;
  releaseId: string | null;
}

/**
 * Moves an alias by compare and set, writes the move down and announces it when the transaction commits.
 * @throws ConflictError when the alias is at another revision by now
 */
export async function moveAlias(tx: Executor, change: AliasChange): Promise<void> {
  const { model, alias, version, expectedRevision, at, by, reason, releaseId } = change;
  const current = await findAlias(tx, model, alias);
  const moved = expectedRevision === 0 ? await insertAlias(tx, change) : await updateAlias(tx, change);
  if (!moved)
    throw new ConflictError(
      `The alias '${alias}' of '${model}' has moved since revision ${expectedRevision}.`,
    );
  await tx.insert(aliasMoves).values({
    model,
    alias,
    revision: expectedRevision + 1,
    version,
    previousVersion: current?.version ?? null,
    at,
    by,
    reason,
    releaseId,
  });
  await tx.execute(sql`select pg_notify(${MODELS_CHANGED_CHANNEL}, ${model})`);
}

async function insertAlias(tx: Executor, { model, alias, version, at }: AliasChange): Promise<boolean> {
  const rows = await tx
    .insert(aliases)
    .values({ model, alias, version, revision: 1, updatedAt: at })
    .onConflictDoNothing()
    .returning();
  return rows.length === 1;
}

async function updateAlias(tx: Executor, change: AliasChange): Promise<boolean> {
  const rows = await tx
    .update(aliases)
    .set({ version: change.version, revision: change.expectedRevision + 1, updatedAt: change.at })
    .where(
      and(
        eq(aliases.model, change.model),
        eq(aliases.alias, change.alias),
        eq(aliases.revision, change.expectedRevision),
      ),
    )
    .returning();
  return rows.length === 1;
}

/** Where an alias points now, if it is set. */
export async function findAlias(db: Executor, model: string, alias: string): Promise<Alias | undefined> {
  const [row] = await db
    .select()
    .from(aliases)
    .where(and(eq(aliases.model, model), eq(aliases.alias, alias)));
  return row && toAlias(row);
}

/** The version an alias pointed to at an instant, if it was set then. */
export async function aliasAt(
  db: Executor,
  alias: { model: string; alias: string },
  at: Date,
): Promise<number | undefined> {
  const [row] = await db
    .select({ version: aliasMoves.version })
    .from(aliasMoves)
    .where(and(eq(aliasMoves.model, alias.model), eq(aliasMoves.alias, alias.alias), lte(aliasMoves.at, at)))
    .orderBy(desc(aliasMoves.revision))
    .limit(1);
  return row?.version ?? undefined;
}

/** Aliases of a model, by name. */
export async function listAliases(db: Executor, model: string, query: PageQuery): Promise<Page<Alias>> {
  const after = decodeCursor(query.cursor, NAME_KEY);
  const rows = await db
    .select()
    .from(aliases)
    .where(and(eq(aliases.model, model), after === undefined ? undefined : gt(aliases.alias, after)))
    .orderBy(asc(aliases.alias))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toAlias, key: (row) => row.alias });
}

/** Moves of an alias, newest first. @throws NotFoundError when it was never set */
export async function listAliasMoves(
  db: Executor,
  { model, alias }: { model: string; alias: string },
  query: PageQuery,
): Promise<Page<AliasMove>> {
  if (!(await findAlias(db, model, alias))) throw new NotFoundError('alias', `${model}@${alias}`);
  const before = decodeCursor(query.cursor, NUMBER_KEY);
  const rows = await db
    .select()
    .from(aliasMoves)
    .where(
      and(
        eq(aliasMoves.model, model),
        eq(aliasMoves.alias, alias),
        before === undefined ? undefined : lt(aliasMoves.revision, Number(before)),
      ),
    )
    .orderBy(desc(aliasMoves.revision))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toMove, key: (row) => String(row.revision) });
}

/** What serving needs to know of a model: its champion, or that it has none. */
export interface ChampionRow {
  model: string;
  champion: { version: number; artifact: string; asOf: Date; revision: number } | null;
}

/** Every model with its champion. */
export async function listChampions(db: Executor): Promise<ChampionRow[]> {
  const rows = await championQuery(db).orderBy(asc(models.name));
  return rows.map(toChampion);
}

/** The champion whose data end before an instant: the newest such version that has ever been champion. */
export async function championBefore(
  db: Executor,
  model: string,
  asOf: Date,
): Promise<typeof modelVersions.$inferSelect | undefined> {
  const [row] = await db
    .select({ version: modelVersions })
    .from(aliasMoves)
    .innerJoin(
      modelVersions,
      and(eq(modelVersions.model, aliasMoves.model), eq(modelVersions.version, aliasMoves.version)),
    )
    .where(and(eq(aliasMoves.model, model), eq(aliasMoves.alias, CHAMPION), lt(modelVersions.asOf, asOf)))
    .orderBy(desc(modelVersions.asOf), desc(modelVersions.version))
    .limit(1);
  return row?.version;
}

function championQuery(db: Executor) {
  return db
    .select({
      model: models.name,
      version: modelVersions.version,
      artifact: modelVersions.artifactDigest,
      asOf: modelVersions.asOf,
      revision: aliases.revision,
    })
    .from(models)
    .leftJoin(aliases, and(eq(aliases.model, models.name), eq(aliases.alias, CHAMPION)))
    .leftJoin(
      modelVersions,
      and(eq(modelVersions.model, models.name), eq(modelVersions.version, aliases.version)),
    );
}

function toChampion(row: Awaited<ReturnType<typeof championQuery>>[number]): ChampionRow {
  const { model, version, artifact, asOf, revision } = row;
  if (version === null || artifact === null || asOf === null || revision === null)
    return { model, champion: null };
  return { model, champion: { version, artifact, asOf, revision } };
}

function toAlias(row: typeof aliases.$inferSelect): Alias {
  return { ...row, updatedAt: row.updatedAt.toISOString() };
}

function toMove(row: typeof aliasMoves.$inferSelect): AliasMove {
  return {
    alias: row.alias,
    version: row.version,
    previousVersion: row.previousVersion,
    revision: row.revision,
    at: row.at.toISOString(),
    recordedAt: row.recordedAt.toISOString(),
    by: row.by,
    reason: row.reason,
    release: row.releaseId === null ? null : formatId('release', row.releaseId),
  };
}
