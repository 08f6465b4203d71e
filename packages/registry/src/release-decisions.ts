import {
  ConflictError,
  durationMilliseconds,
  formatId,
  parseId,
  type Release,
  type ReleaseEvent,
} from '@perennial/contract';
import {
  approvalsExpireAfter,
  getRelease,
  lockModel,
  noteOnRelease,
  recordChange,
  saveApproval,
  transaction,
  type Executor,
} from '@perennial/storage';
import { approve, moveRelease, openRelease, promote, type ReleaseOfVersion } from './promotion.ts';
import type { Caller, Deed, ReleaseContext, ReleaseDesk } from './release-context.ts';
import {
  approversNeeded,
  demandTransition,
  standingApprovers,
  type VersionInQuestion,
} from './release-policy.ts';
import { readVersion, readVersionToRelease } from './release-record.ts';

/** What stands as the approver of a release that its policy lets through. */
const AUTOMATIC = { name: 'policy:automatic', roles: [], models: null, kind: 'policy' } as const;

/** What somebody says of a release. */
export interface PersonsDecision {
  /** Edge id of the release. */
  release: string;
  reason: string;
}

export interface PersonsRequest {
  model: string;
  version: number;
  reason: string;
  /** Lets the version through although its gate did not, or although it was rolled back; takes the admin role. */
  override: boolean;
}

/**
 * Somebody asks for a version to go into production. Where the policy asks for nobody's approval, it is live when this returns.
 * @throws NotFoundError, ReleaseRefusedError, ConflictError when the version is in production
 */
export async function requestRelease(
  desk: ReleaseDesk,
  wanted: PersonsRequest,
  caller: Caller,
): Promise<Release> {
  return transaction(desk.database, async (tx) => {
    await lockModel(tx, wanted.model);
    const { model, reason, override } = wanted;
    const { version, terms, champion } = await readVersionToRelease(tx, wanted);
    const now = desk.clock.now();
    const proposed = { id: null, state: null, model, override, requestedBy: caller.name, approvals: [] };
    demandTransition({
      transition: 'request',
      actor: caller,
      release: { ...proposed, approvers: terms.approvers },
      version,
      now,
    });
    if (champion === version.version)
      throw new ConflictError(`Version ${champion} of '${model}' is in production already.`);
    const name = { id: desk.ids.next(), model, version: version.version };
    const deed = { by: caller.name, reason, at: now, origin: caller.origin };
    await openRelease(tx, { ...name, ...terms, override }, { ...deed, ids: desk.ids });
    if (terms.approvers === 0)
      await releaseByPolicy(tx, { ...name, record: version }, { ...deed, context: desk });
    return getRelease(tx, name.id, now);
  });
}

/**
 * Approves and promotes a release in the name of its policy, in the caller's transaction.
 * @throws ReleaseRefusedError when the policy asks for people
 */
export async function releaseByPolicy(
  tx: Executor,
  { record, ...name }: ReleaseOfVersion & { record: VersionInQuestion },
  { context, ...deed }: Deed & { context: ReleaseContext },
): Promise<void> {
  const given = { ...deed, by: AUTOMATIC.name };
  const asked = { actor: AUTOMATIC, version: record, now: deed.at };
  const waiting = await getRelease(tx, name.id, deed.at);
  demandTransition({ ...asked, transition: 'approve', release: waiting });
  const release = await approve(tx, { ...name, approvedBy: [AUTOMATIC.name] }, { ...given, context });
  demandTransition({ ...asked, transition: 'promote', release });
  await promote(tx, name, { ...given, ids: context.ids });
}

/**
 * Somebody approves a pending release. With the last approval that its policy asks for, the version is signed and goes live in the same transaction; before it, the
 * approval is on record and the release waits on.
 * @throws NotFoundError, ReleaseRefusedError, TransitionRefusedError, ConflictError
 */
export async function approveRelease(
  desk: ReleaseDesk,
  decision: PersonsDecision,
  caller: Caller,
): Promise<Release> {
  return decide(desk, decision, async (tx, { id, release, version, at }) => {
    const deed = { by: caller.name, reason: decision.reason, at, origin: caller.origin };
    demandTransition({ transition: 'approve', actor: caller, release, version, now: at });
    await saveApproval(tx, await approvalOf(tx, { id, version }, deed));
    const approved = await getRelease(tx, id, at);
    const approvedBy = standingApprovers({ release: approved, version, now: at });
    const needed = approversNeeded(release);
    if (approvedBy.length < needed) {
      await noteOnRelease(tx, { id, type: 'approval' }, deed);
      const details = { model: release.model, version: release.version, approvers: needed, approvedBy };
      recordChange(tx, { ...deed, action: 'release.approved', subject: `release:${release.id}`, details });
      return;
    }
    const name = { id, model: release.model, version: release.version };
    const ready = await approve(tx, { ...name, approvedBy }, { ...deed, context: desk });
    demandTransition({ transition: 'promote', actor: caller, release: ready, version, now: at });
    await promote(tx, name, { ...deed, ids: desk.ids });
  });
}

async function approvalOf(
  tx: Executor,
  { id, version }: { id: string; version: VersionInQuestion },
  { by, reason, at }: Deed,
): Promise<Parameters<typeof saveApproval>[1]> {
  const holds = durationMilliseconds(await approvalsExpireAfter(tx, id));
  return {
    releaseId: id,
    by,
    at,
    comment: reason,
    artifactDigest: version.artifact,
    gateReportDigest: version.gateReport,
    expiresAt: new Date(at.getTime() + holds),
  };
}

/** Somebody refuses a release that is not live yet. @throws NotFoundError, ReleaseRefusedError, TransitionRefusedError */
export async function rejectRelease(
  desk: ReleaseDesk,
  decision: PersonsDecision,
  caller: Caller,
): Promise<Release> {
  return decide(desk, decision, async (tx, { id, release, version, at }) => {
    demandTransition({ transition: 'reject', actor: caller, release, version, now: at });
    const { name: by, origin } = caller;
    await moveRelease(
      tx,
      { id, transition: 'reject' },
      { by, reason: decision.reason, at, origin, ids: desk.ids },
    );
  });
}

/** A release as a decision about it finds it. */
interface Found {
  /** Plain id. */
  id: string;
  release: Release;
  version: VersionInQuestion;
  at: Date;
}

/** Reads a release once no one else can change what is in production of its model, lets the work move it and says how it is then. */
async function decide(
  { database, clock }: ReleaseDesk,
  decision: PersonsDecision,
  work: (tx: Executor, found: Found) => Promise<void>,
): Promise<Release> {
  const id = parseId('release', decision.release);
  return transaction(database, async (tx) => {
    const { model } = await getRelease(tx, id, clock.now());
    await lockModel(tx, model);
    const at = clock.now();
    const release = await getRelease(tx, id, at);
    await work(tx, { id, release, version: await readVersion(tx, release), at });
    return getRelease(tx, id, at);
  });
}

/** Somebody says something about a release, whatever became of it. @throws NotFoundError */
export async function commentOnRelease(
  { database, clock }: Pick<ReleaseDesk, 'database' | 'clock'>,
  { release, comment }: { release: string; comment: string },
  { name: by, origin }: Pick<Caller, 'name' | 'origin'>,
): Promise<ReleaseEvent> {
  const id = parseId('release', release);
  return transaction(database, async (tx) => {
    const said = { by, reason: comment, at: clock.now() };
    const event = await noteOnRelease(tx, { id, type: 'comment' }, said);
    const subject = `release:${formatId('release', id)}`;
    recordChange(tx, { ...said, origin, action: 'release.commented', subject });
    return event;
  });
}
