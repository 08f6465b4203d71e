import { and, asc, desc, eq, gt, inArray, lt, lte, max, sql } from 'drizzle-orm';
import {
  CHAMPION,
  ConflictError,
  DEFAULT_SERVING,
  NotFoundError,
  formatId,
  type Alias,
  type AliasMove,
  type Page,
  type PageQuery,
  type ServingSpec,
} from '@perennial/contract';
import {
  aliasMoves,
  aliases,
  endpoints,
  modelVersions,
  models,
  precomputations,
} from '../database/schema.ts';
import { NAME_KEY, NUMBER_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';
import type { Decision } from './releases.ts';
import { notUndone, undoneMoves } from './rolled-back.ts';

/** The channel on which new models and alias moves are announced: what serving has to know. The payload is the model's name. */
export const MODELS_CHANGED_CHANNEL = 'models_changed';

export interface AliasChange extends Decision {
  model: string;
  alias: string;
  version: number;
  /** The revision the decision was taken on; 0 when the alias was not set. */
  expectedRevision: number;
  releaseId: string | null;
}

/**
 * Moves an alias by compare and set, writes the move down and announces it when the transaction commits. Of an alias that was removed, the
 * revisions go on where they ended.
 * @throws ConflictError when the alias is at another revision by now
 */
export async function moveAlias(tx: Executor, change: AliasChange): Promise<AliasMove> {
  const { model, alias, version, expectedRevision } = change;
  const current = await findAlias(tx, model, alias);
  const revision = expectedRevision === 0 ? await nextRevision(tx, change) : expectedRevision + 1;
  const target = { ...change, revision };
  const moved = expectedRevision === 0 ? await insertAlias(tx, target) : await updateAlias(tx, target);
  if (!moved) throw movedMeanwhile(change, expectedRevision);
  return writeMove(tx, change, { revision, version, previousVersion: current?.version ?? null });
}

/**
 * Removes an alias; its history stays and ends in a move to no version.
 * @throws NotFoundError when it is not set
 * @throws ConflictError when it moved meanwhile
 */
export async function removeAlias(
  tx: Executor,
  change: Decision & { model: string; alias: string; expectedRevision?: number },
): Promise<AliasMove> {
  const { model, alias } = change;
  const current = await findAlias(tx, model, alias);
  if (!current) throw new NotFoundError('alias', `${model}@${alias}`);
  const expectedRevision = change.expectedRevision ?? current.revision;
  const removed = await tx
    .delete(aliases)
    .where(and(eq(aliases.model, model), eq(aliases.alias, alias), eq(aliases.revision, expectedRevision)))
    .returning();
  if (removed.length === 0) throw movedMeanwhile(change, expectedRevision);
  const move = { revision: expectedRevision + 1, version: null, previousVersion: current.version };
  return writeMove(tx, { ...change, releaseId: null }, move);
}

function movedMeanwhile({ model, alias }: { model: string; alias: string }, revision: number): ConflictError {
  return new ConflictError(`The alias '${alias}' of '${model}' has moved since revision ${revision}.`);
}

async function nextRevision(tx: Executor, { model, alias }: AliasChange): Promise<number> {
  const [row] = await tx
    .select({ last: max(aliasMoves.revision) })
    .from(aliasMoves)
    .where(and(eq(aliasMoves.model, model), eq(aliasMoves.alias, alias)));
  return (row?.last ?? 0) + 1;
}

async function writeMove(
  tx: Executor,
  change: Omit<AliasChange, 'version' | 'expectedRevision'>,
  move: { revision: number; version: number | null; previousVersion: number | null },
): Promise<AliasMove> {
  const { model, alias, at, by, reason, releaseId } = change;
  const [row] = await tx
    .insert(aliasMoves)
    .values({ model, alias, at, by, reason, releaseId, ...move })
    .returning();
  if (!row) throw new Error('insert … returning gave no row');
  await tx.execute(sql`select pg_notify(${MODELS_CHANGED_CHANNEL}, ${model})`);
  return toMove(row);
}

/** A change with the revision that it leads to. */
type Target = AliasChange & { revision: number };

async function insertAlias(tx: Executor, target: Target): Promise<boolean> {
  const { model, alias, version, revision, at } = target;
  const rows = await tx
    .insert(aliases)
    .values({ model, alias, version, revision, updatedAt: at })
    .onConflictDoNothing()
    .returning();
  return rows.length === 1;
}

async function updateAlias(tx: Executor, change: Target): Promise<boolean> {
  const rows = await tx
    .update(aliases)
    .set({ version: change.version, revision: change.revision, updatedAt: change.at })
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

/**
 * The move that says where an alias pointed at an instant, as is known now: undefined before its first move, a move to null where it had been removed. Where a clock was
 * set back between two moves, the later move counts.
 */
export async function aliasAt(
  db: Executor,
  alias: { model: string; alias: string },
  at: Date,
): Promise<AliasMove | undefined> {
  const [row] = await db
    .select()
    .from(aliasMoves)
    .where(and(eq(aliasMoves.model, alias.model), eq(aliasMoves.alias, alias.alias), lte(aliasMoves.at, at)))
    .orderBy(desc(aliasMoves.revision))
    .limit(1);
  return row && toMove(row);
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

/** Moves of an alias, newest first; those of one that was removed stay. @throws NotFoundError when it was never set */
export async function listAliasMoves(
  db: Executor,
  { model, alias }: { model: string; alias: string },
  query: PageQuery,
): Promise<Page<AliasMove>> {
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
  if (rows.length === 0 && before === undefined) throw new NotFoundError('alias', `${model}@${alias}`);
  return pageOf(rows, query, { item: toMove, key: (row) => String(row.revision) });
}

/** What serving needs to know of a model: its champion, or that it has none. */
export interface ChampionRow {
  model: string;
  champion: { version: number; artifact: string; asOf: Date; revision: number } | null;
  serving: ServingSpec;
  /** The table of precomputed answers that is given out now, and the version that made it. */
  precomputed: { id: string; version: number } | null;
}

/** Models with their champions, by name; those that are named, or so many after a name. */
export async function listChampions(
  db: Executor,
  which: { models: readonly string[] } | { after: string; limit: number },
): Promise<ChampionRow[]> {
  const query = championQuery(db).orderBy(asc(models.name)).$dynamic();
  const rows =
    'models' in which
      ? await query.where(inArray(models.name, [...which.models]))
      : await query.where(gt(models.name, which.after)).limit(which.limit);
  return rows.map(toChampion);
}

/**
 * The champion whose data end before an instant: the newest such version that has ever been champion and was not rolled back, since what was taken out of production is
 * nothing to begin at, nor is one whose file was removed.
 */
export async function championBefore(
  db: Executor,
  model: string,
  asOf: Date,
): Promise<typeof modelVersions.$inferSelect | undefined> {
  const undone = undoneMoves(db, model);
  const [row] = await db
    .select({ version: modelVersions })
    .from(aliasMoves)
    .innerJoin(
      modelVersions,
      and(eq(modelVersions.model, aliasMoves.model), eq(modelVersions.version, aliasMoves.version)),
    )
    .leftJoin(undone, eq(undone.artifact, modelVersions.artifactDigest))
    .where(
      and(
        eq(aliasMoves.model, model),
        eq(aliasMoves.alias, CHAMPION),
        lt(modelVersions.asOf, asOf),
        notUndone(undone),
        sql`not exists (select from removed_artifacts r where r.digest = ${modelVersions.artifactDigest})`,
      ),
    )
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
      serving: endpoints.serving,
      precomputation: precomputations.id,
      precomputedVersion: precomputations.version,
    })
    .from(models)
    .leftJoin(endpoints, eq(endpoints.name, models.name))
    .leftJoin(precomputations, and(eq(precomputations.model, models.name), eq(precomputations.state, 'live')))
    .leftJoin(aliases, and(eq(aliases.model, models.name), eq(aliases.alias, CHAMPION)))
    .leftJoin(
      modelVersions,
      and(eq(modelVersions.model, models.name), eq(modelVersions.version, aliases.version)),
    );
}

function toChampion(row: Awaited<ReturnType<typeof championQuery>>[number]): ChampionRow {
  const { model, version, artifact, asOf, revision, precomputation, precomputedVersion } = row;
  const champion =
    version === null || artifact === null || asOf === null || revision === null
      ? null
      : { version, artifact, asOf, revision };
  const precomputed =
    precomputation === null || precomputedVersion === null
      ? null
      : { id: precomputation, version: precomputedVersion };
  return { model, champion, serving: row.serving ?? DEFAULT_SERVING, precomputed };
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
