import { and, desc, eq, inArray, lt } from 'drizzle-orm';
import {
  NotFoundError,
  RELEASE_TRANSITIONS,
  TransitionRefusedError,
  formatId,
  nextState,
  type Approval,
  type Page,
  type PageQuery,
  type Release,
  type ReleaseState,
  type ReleaseTransition,
} from '@perennial/contract';
import { approvals, releaseEvents, releases } from '../database/schema.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

type ReleaseRow = typeof releases.$inferSelect;

/** Who moved something, when and why. */
export interface Decision {
  by: string;
  reason: string;
  at: Date;
}

export interface NewRelease extends Decision {
  id: string;
  model: string;
  version: number;
}

/** Asks for a version to go into production. */
export async function createRelease(
  tx: Executor,
  { id, model, version, by, reason, at }: NewRelease,
): Promise<void> {
  await tx.insert(releases).values({
    id,
    model,
    version,
    state: 'pending',
    requestedBy: by,
    requestedAt: at,
    reason,
    updatedAt: at,
    lastSequence: 1,
  });
  await tx
    .insert(releaseEvents)
    .values({ releaseId: id, sequence: 1, at, type: 'request', state: 'pending', by, reason });
}

/**
 * Moves a release along its state machine: event and row in the caller's transaction, the row locked first.
 * @throws TransitionRefusedError when its state does not allow it
 */
export async function transitionRelease(
  tx: Executor,
  { id, transition }: { id: string; transition: ReleaseTransition },
  { by, reason, at }: Decision,
): Promise<ReleaseState> {
  const [row] = await tx.select().from(releases).where(eq(releases.id, id)).for('update');
  if (!row) throw new NotFoundError('release', formatId('release', id));
  const state = nextState(RELEASE_TRANSITIONS, row.state, transition);
  if (state === undefined) {
    throw new TransitionRefusedError({ kind: 'release', id: formatId('release', id) }, row.state, transition);
  }
  const sequence = row.lastSequence + 1;
  await tx.insert(releaseEvents).values({ releaseId: id, sequence, at, type: transition, state, by, reason });
  await tx
    .update(releases)
    .set({ state, decidedBy: by, reason, updatedAt: at, lastSequence: sequence })
    .where(eq(releases.id, id));
  return state;
}

/** Ids of a model's releases in any of the given states, oldest first. */
export async function releasesInState(
  tx: Executor,
  model: string,
  states: ReleaseState[],
): Promise<string[]> {
  const rows = await tx
    .select({ id: releases.id })
    .from(releases)
    .where(and(eq(releases.model, model), inArray(releases.state, states)))
    .orderBy(releases.id);
  return rows.map((row) => row.id);
}

/** @throws NotFoundError */
export async function getRelease(db: Executor, id: string): Promise<Release> {
  const [row] = await db.select().from(releases).where(eq(releases.id, id));
  if (!row) throw new NotFoundError('release', formatId('release', id));
  return toRelease(row, await approvalsOf(db, [id]));
}

/** Releases, newest first. */
export async function listReleases(
  db: Executor,
  query: PageQuery & { model?: string | undefined },
): Promise<Page<Release>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(releases)
    .where(
      and(
        query.model === undefined ? undefined : eq(releases.model, query.model),
        before === undefined ? undefined : lt(releases.id, before),
      ),
    )
    .orderBy(desc(releases.id))
    .limit(query.limit + 1);
  const given = await approvalsOf(
    db,
    rows.map((row) => row.id),
  );
  return pageOf(rows, query, { item: (row) => toRelease(row, given), key: (row) => row.id });
}

type ApprovalRow = typeof approvals.$inferSelect;

async function approvalsOf(db: Executor, releaseIds: string[]): Promise<ApprovalRow[]> {
  if (releaseIds.length === 0) return [];
  return db
    .select()
    .from(approvals)
    .where(inArray(approvals.releaseId, releaseIds))
    .orderBy(approvals.at, approvals.by);
}

function toRelease(row: ReleaseRow, given: ApprovalRow[]): Release {
  return {
    id: formatId('release', row.id),
    model: row.model,
    version: row.version,
    state: row.state,
    override: row.override,
    requestedBy: row.requestedBy,
    requestedAt: row.requestedAt.toISOString(),
    decidedBy: row.decidedBy,
    reason: row.reason,
    updatedAt: row.updatedAt.toISOString(),
    approvers: row.approvers,
    approvals: given.filter(({ releaseId }) => releaseId === row.id).map(toApproval),
  };
}

function toApproval(row: ApprovalRow): Approval {
  return {
    by: row.by,
    at: row.at.toISOString(),
    comment: row.comment,
    artifact: row.artifactDigest,
    gateReport: row.gateReportDigest,
    expiresAt: row.expiresAt.toISOString(),
  };
}
