import { and, asc, desc, eq, gt, inArray, lt } from 'drizzle-orm';
import {
  NotFoundError,
  RELEASE_TRANSITIONS,
  TransitionRefusedError,
  formatId,
  nextState,
  type Digest,
  type GateReport,
  type Page,
  type PageQuery,
  type Release,
  type ReleaseEvent,
  type ReleaseState,
  type ReleaseTransition,
} from '@perennial/contract';
import { modelVersions, releaseEvents, releases } from '../database/schema.ts';
import { approvalsOf, standingApprovals, type ApprovalRow } from './approvals.ts';
import { NUMBER_KEY, UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
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
  override: boolean;
  /** Different people that must approve; 0 where the policy does. */
  approvers: number;
  /** How long an approval holds: `7d`. */
  approvalsExpire: string;
}

/** Asks for a version to go into production. */
export async function createRelease(tx: Executor, { by, at, reason, ...release }: NewRelease): Promise<void> {
  await tx.insert(releases).values({
    ...release,
    state: 'pending',
    requestedBy: by,
    requestedAt: at,
    reason,
    updatedAt: at,
    lastSequence: 1,
  });
  const first = { sequence: 1, at, type: 'request', state: 'pending', by, reason } as const;
  await tx.insert(releaseEvents).values({ releaseId: release.id, ...first });
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
  const row = await lockRelease(tx, id);
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

/** Writes down what does not move a release: an approval that others must follow, a comment. */
export async function noteOnRelease(
  tx: Executor,
  { id, type }: { id: string; type: 'approval' | 'comment' },
  { by, reason, at }: Decision,
): Promise<ReleaseEvent> {
  const { state, lastSequence } = await lockRelease(tx, id);
  const event = { sequence: lastSequence + 1, at, type, state, by, reason };
  await tx.insert(releaseEvents).values({ releaseId: id, ...event });
  await tx.update(releases).set({ lastSequence: event.sequence }).where(eq(releases.id, id));
  return { ...event, at: at.toISOString() };
}

async function lockRelease(tx: Executor, id: string): Promise<ReleaseRow> {
  const [row] = await tx.select().from(releases).where(eq(releases.id, id)).for('update');
  if (!row) throw new NotFoundError('release', formatId('release', id));
  return row;
}

/** Plain ids of a model's releases in any of the given states, oldest first. */
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

/** A release with the approvals that hold at an instant. @throws NotFoundError */
export async function getRelease(db: Executor, id: string, now: Date): Promise<Release> {
  const [row] = await db.select().from(releases).where(eq(releases.id, id));
  if (!row) throw new NotFoundError('release', formatId('release', id));
  return toRelease(row, await approvalsOf(db, [id]), now);
}

/** How long an approval of the release holds: `7d`. @throws NotFoundError */
export async function approvalsExpireAfter(db: Executor, id: string): Promise<string> {
  const [row] = await db
    .select({ duration: releases.approvalsExpire })
    .from(releases)
    .where(eq(releases.id, id));
  if (!row) throw new NotFoundError('release', formatId('release', id));
  return row.duration;
}

export interface ReleasesQuery extends PageQuery {
  model?: string | undefined;
  version?: number | undefined;
  state?: ReleaseState | undefined;
}

/** Releases, newest first, with the approvals that hold at an instant. */
export async function listReleases(db: Executor, query: ReleasesQuery, now: Date): Promise<Page<Release>> {
  const { model, version, state } = query;
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(releases)
    .where(
      and(
        model === undefined ? undefined : eq(releases.model, model),
        version === undefined ? undefined : eq(releases.version, version),
        state === undefined ? undefined : eq(releases.state, state),
        before === undefined ? undefined : lt(releases.id, before),
      ),
    )
    .orderBy(desc(releases.id))
    .limit(query.limit + 1);
  const given = await approvalsOf(
    db,
    rows.map((row) => row.id),
  );
  return pageOf(rows, query, { item: (row) => toRelease(row, given, now), key: (row) => row.id });
}

/** What happened to a release, oldest first. @throws NotFoundError */
export async function listReleaseEvents(
  db: Executor,
  id: string,
  query: PageQuery,
): Promise<Page<ReleaseEvent>> {
  const [release] = await db.select({ id: releases.id }).from(releases).where(eq(releases.id, id));
  if (!release) throw new NotFoundError('release', formatId('release', id));
  const after = decodeCursor(query.cursor, NUMBER_KEY);
  const rows = await db
    .select()
    .from(releaseEvents)
    .where(
      and(
        eq(releaseEvents.releaseId, id),
        after === undefined ? undefined : gt(releaseEvents.sequence, Number(after)),
      ),
    )
    .orderBy(asc(releaseEvents.sequence))
    .limit(query.limit + 1);
  return pageOf(rows, query, {
    item: ({ sequence, at, type, state, by, reason }) => ({
      sequence,
      at: at.toISOString(),
      type,
      state,
      by,
      reason,
    }),
    key: (row) => String(row.sequence),
  });
}

/** What a decision about a version's release rests on. */
export interface VersionEvidence {
  artifact: Digest;
  /** Null of an imported version. */
  gate: GateReport | null;
}

/** Without the card, which may be megabytes. @throws NotFoundError */
export async function getVersionEvidence(
  db: Executor,
  model: string,
  version: number,
): Promise<VersionEvidence> {
  const [row] = await db
    .select({ artifact: modelVersions.artifactDigest, gate: modelVersions.gate })
    .from(modelVersions)
    .where(and(eq(modelVersions.model, model), eq(modelVersions.version, version)));
  if (!row) throw new NotFoundError('version', `${model}@${version}`);
  return row;
}

function toRelease(row: ReleaseRow, given: ApprovalRow[], now: Date): Release {
  const own = given.filter(({ releaseId }) => releaseId === row.id);
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
    approvals: standingApprovals(own, row.state === 'pending' ? now : null),
  };
}
