import { CHAMPION } from '@perennial/contract';
import {
  createRelease,
  findAlias,
  moveAlias,
  releasesInState,
  transitionRelease,
  type Decision,
  type Executor,
} from '@perennial/storage';

export interface VersionName {
  model: string;
  version: number;
}

/** Asks for a version to go into production; what was still waiting for the same model is superseded. */
export async function requestRelease(
  tx: Executor,
  { id, model, version }: VersionName & { id: string },
  decision: Decision,
): Promise<void> {
  const reason = `superseded by the release of version ${version}`;
  for (const waiting of await releasesInState(tx, model, ['pending', 'approved'])) {
    await transitionRelease(tx, { id: waiting, transition: 'supersede' }, { ...decision, reason });
  }
  await createRelease(tx, { id, model, version, ...decision });
}

/**
 * Approves a release and makes its version the champion: the release that was live is superseded, the alias moves and the move is announced,
 * all in the caller's transaction.
 * @throws ConflictError when the alias moved meanwhile
 * @throws TransitionRefusedError when the release is not pending
 */
export async function approveAndPromote(
  tx: Executor,
  { id, model, version }: VersionName & { id: string },
  decision: Decision,
): Promise<void> {
  await transitionRelease(tx, { id, transition: 'approve' }, decision);
  const current = await findAlias(tx, model, CHAMPION);
  const superseded = { ...decision, reason: `superseded by version ${version}` };
  for (const live of await releasesInState(tx, model, ['live'])) {
    await transitionRelease(tx, { id: live, transition: 'supersede' }, superseded);
  }
  await transitionRelease(tx, { id, transition: 'promote' }, decision);
  await moveAlias(tx, {
    model,
    alias: CHAMPION,
    version,
    expectedRevision: current?.revision ?? 0,
    releaseId: id,
    ...decision,
  });
}
