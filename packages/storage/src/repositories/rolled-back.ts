import { and, desc, eq, gt, isNull, max, or, type SQL } from 'drizzle-orm';
import { CHAMPION } from '@perennial/contract';
import { aliasMoves, modelVersions, releases } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** A release by which a version was the champion, and may be again. */
export interface EarlierRelease {
  /** Plain id. */
  id: string;
  version: number;
}

/**
 * The releases that a rollback may put back into production, the newest champion first: those that were live and were superseded, but for versions
 * whose bytes were taken out of production since.
 */
export async function restorableReleases(db: Executor, model: string): Promise<EarlierRelease[]> {
  const undone = undoneMoves(db, model);
  return db
    .select({ id: releases.id, version: releases.version })
    .from(aliasMoves)
    .innerJoin(releases, eq(releases.id, aliasMoves.releaseId))
    .innerJoin(modelVersions, isVersionOfMove)
    .leftJoin(undone, eq(undone.artifact, modelVersions.artifactDigest))
    .where(and(isMoveOfChampion(model), eq(releases.state, 'superseded'), notUndone(undone)))
    .groupBy(releases.id, releases.version)
    .orderBy(desc(max(aliasMoves.revision)));
}

/**
 * The version of a model with these bytes that was the last to be champion, if it was taken out of production by a rollback: undefined where it never was champion, was
 * superseded, or a later release has put the bytes back.
 */
export async function findRolledBack(
  db: Executor,
  model: string,
  artifact: string,
): Promise<number | undefined> {
  const [newest] = await db
    .select({ version: releases.version, state: releases.state })
    .from(aliasMoves)
    .innerJoin(releases, eq(releases.id, aliasMoves.releaseId))
    .innerJoin(modelVersions, isVersionOfMove)
    .where(and(isMoveOfChampion(model), eq(modelVersions.artifactDigest, artifact)))
    .orderBy(desc(aliasMoves.revision))
    .limit(1);
  return newest?.state === 'rolled-back' ? newest.version : undefined;
}

const isVersionOfMove = and(
  eq(modelVersions.model, aliasMoves.model),
  eq(modelVersions.version, aliasMoves.version),
);

function isMoveOfChampion(model: string): SQL | undefined {
  return and(eq(aliasMoves.model, model), eq(aliasMoves.alias, CHAMPION));
}

/**
 * Of each of a model's bytes that have been rolled back, the last move of the champion that was undone so. Moves are put in order by their revisions, which have no gaps, and
 * not by anybody's clock. A move of the same bytes counts only when it is later: `notUndone`.
 */
export function undoneMoves(db: Executor, model: string) {
  return db
    .select({
      artifact: modelVersions.artifactDigest,
      revision: max(aliasMoves.revision).as('undone_revision'),
    })
    .from(aliasMoves)
    .innerJoin(releases, eq(releases.id, aliasMoves.releaseId))
    .innerJoin(modelVersions, isVersionOfMove)
    .where(and(isMoveOfChampion(model), eq(releases.state, 'rolled-back')))
    .groupBy(modelVersions.artifactDigest)
    .as('undone');
}

/** Of a query over moves of the champion with a left join of what was undone: that the move's bytes were not rolled back by it or since. */
export function notUndone({ revision }: Pick<ReturnType<typeof undoneMoves>, 'revision'>): SQL | undefined {
  return or(isNull(revision), gt(aliasMoves.revision, revision));
}
