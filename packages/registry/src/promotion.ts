import {
  CHAMPION,
  formatId,
  type AuditAction,
  type IdGenerator,
  type Release,
  type ReleaseTransition,
  type WebhookEventType,
} from '@perennial/contract';
import {
  createRelease,
  findAlias,
  getRelease,
  moveAlias,
  publishEvent,
  recordChange,
  releasesInState,
  transitionRelease,
  type Executor,
} from '@perennial/storage';
import { precomputeChampion } from './precompute-champion.ts';
import type { Deed, ReleaseContext } from './release-context.ts';
import type { ApprovalTerms } from './release-policy.ts';

/** The steps that every change of a release is made of. The caller holds the model's lock (`lockModel`), or has just taken a version number of it. */

export interface ReleaseOfVersion {
  /** Plain id of the release. */
  id: string;
  model: string;
  version: number;
}

interface Announcement {
  action: AuditAction;
  event: Exclude<WebhookEventType, 'alert.raised' | 'model-version.registered'>;
}

/** A release that is restored is live again, and webhooks are told so. */
const ANNOUNCEMENTS: Record<ReleaseTransition, Announcement> = {
  approve: { action: 'release.approved', event: 'release.approved' },
  reject: { action: 'release.rejected', event: 'release.rejected' },
  promote: { action: 'release.live', event: 'release.live' },
  supersede: { action: 'release.superseded', event: 'release.superseded' },
  'roll-back': { action: 'release.rolled-back', event: 'release.rolled-back' },
  restore: { action: 'release.restored', event: 'release.live' },
};

/** Asks for a version to go into production; what was still waiting for the same model is superseded. */
export async function openRelease(
  tx: Executor,
  wanted: ReleaseOfVersion & ApprovalTerms & { override: boolean },
  { ids, ...deed }: Deed & { ids: IdGenerator },
): Promise<void> {
  const { id, model, version, override, approvers, approvalsExpire } = wanted;
  const reason = `superseded by the release of version ${version}`;
  for (const waiting of await releasesInState(tx, model, ['pending', 'approved'])) {
    await moveRelease(tx, { id: waiting, transition: 'supersede' }, { ...deed, reason, ids });
  }
  const { by, at } = deed;
  await createRelease(tx, {
    id,
    model,
    version,
    override,
    approvers,
    approvalsExpire,
    by,
    reason: deed.reason,
    at,
  });
  const asked = { action: 'release.requested', event: 'release.requested' } as const;
  const release = await announce(tx, { id, ...asked }, { ...deed, ids });
  if (override) record(tx, { release, action: 'release.overridden' }, deed);
}

/** Moves a release along its state machine, on the record and told to webhooks. @throws TransitionRefusedError */
export async function moveRelease(
  tx: Executor,
  { id, transition }: { id: string; transition: ReleaseTransition },
  deed: Deed & { ids: IdGenerator },
): Promise<Release> {
  await transitionRelease(tx, { id, transition }, deed);
  return announce(tx, { id, ...ANNOUNCEMENTS[transition] }, deed);
}

async function announce(
  tx: Executor,
  { id, action, event }: Announcement & { id: string },
  { ids, ...deed }: Deed & { ids: IdGenerator },
): Promise<Release> {
  const release = await getRelease(tx, id, deed.at);
  record(tx, { release, action }, deed);
  await publishEvent(tx, { type: event, model: release.model, data: release, at: deed.at, ids });
  return release;
}

function record(
  tx: Executor,
  { release, action }: { release: Release; action: AuditAction },
  deed: Deed,
): void {
  const { id, model, version, override, approvers, approvals } = release;
  const details = { model, version, override, approvers, approvedBy: approvals.map(({ by }) => by) };
  recordChange(tx, { ...deed, action, subject: `release:${id}`, details });
}

/** Approves a release and signs its version. Who approved stands in what is signed. */
export async function approve(
  tx: Executor,
  { id, model, version, approvedBy }: ReleaseOfVersion & { approvedBy: string[] },
  { context, ...deed }: Deed & { context: ReleaseContext },
): Promise<Release> {
  const approved = await moveRelease(tx, { id, transition: 'approve' }, { ...deed, ids: context.ids });
  const release = formatId('release', id);
  const { at, origin } = deed;
  await context.signer.attest(tx, { model, version, release, approvedBy, at, origin });
  return approved;
}

/**
 * Makes an approved release's version the champion: the release that was live is superseded, the alias moves and the move is announced.
 * @throws ConflictError when the alias moved meanwhile
 * @throws TransitionRefusedError when the release is not approved
 */
export async function promote(
  tx: Executor,
  { id, model, version }: ReleaseOfVersion,
  deed: Deed & { ids: IdGenerator },
): Promise<Release> {
  const superseded = { ...deed, reason: `superseded by version ${version}` };
  // First out, then in: two live releases of a model are refused by the database at every instant, within a transaction too.
  for (const live of await releasesInState(tx, model, ['live'])) {
    await moveRelease(tx, { id: live, transition: 'supersede' }, superseded);
  }
  const release = await moveRelease(tx, { id, transition: 'promote' }, deed);
  await moveChampion(tx, { id, model, version }, deed);
  return release;
}

/** Points the alias `champion` to the version of a release that is live, and queues what is computed for a new champion. @throws ConflictError */
export async function moveChampion(
  tx: Executor,
  { id, model, version }: ReleaseOfVersion,
  { ids, ...deed }: Deed & { ids: IdGenerator },
): Promise<void> {
  const current = await findAlias(tx, model, CHAMPION);
  const { by, reason, at } = deed;
  const { revision, previousVersion } = await moveAlias(tx, {
    model,
    alias: CHAMPION,
    version,
    expectedRevision: current?.revision ?? 0,
    releaseId: id,
    by,
    reason,
    at,
  });
  recordChange(tx, {
    ...deed,
    action: 'alias.moved',
    subject: `alias:${model}@${CHAMPION}`,
    details: { version, previousVersion, revision, release: formatId('release', id) },
  });
  await precomputeChampion(tx, { model, version, at, by, ids });
}
