import { CHAMPION, type Release } from '@perennial/contract';
import {
  findAlias,
  getRelease,
  lockModel,
  releasesInState,
  restorableReleases,
  transaction,
  withdrawPrecomputed,
  type EarlierRelease,
  type Executor,
} from '@perennial/storage';
import { NothingToRestoreError } from './errors.ts';
import { moveChampion, moveRelease } from './promotion.ts';
import type { Caller, ReleaseDesk } from './release-context.ts';
import { demandTransition } from './release-policy.ts';
import { readVersion } from './release-record.ts';

export interface Rollback {
  model: string;
  reason: string;
  /** An earlier champion; absent: the newest one that was not rolled back. */
  to?: number | undefined;
}

/**
 * Takes the champion out of production and puts an earlier one back: its release is live again and the alias moves, in one transaction. What waits for approval
 * waits on.
 * @returns the release that is live again
 * @throws NotFoundError, ReleaseRefusedError, NothingToRestoreError
 */
export async function rollBack(desk: ReleaseDesk, wanted: Rollback, caller: Caller): Promise<Release> {
  const { model } = wanted;
  return transaction(desk.database, async (tx) => {
    await lockModel(tx, model);
    const at = desk.clock.now();
    const [live] = await releasesInState(tx, model, ['live']);
    if (live === undefined)
      throw new NothingToRestoreError(
        model,
        `No release of '${model}' is live: there is nothing to roll back.`,
      );
    await demand(tx, { id: live, transition: 'roll-back', at }, caller);
    const deed = { by: caller.name, reason: wanted.reason, at, origin: caller.origin };
    // First out, then in, as in a promotion; and what goes out is then known for rolled back, so that another version of its bytes is no way back.
    const undone = await moveRelease(tx, { id: live, transition: 'roll-back' }, { ...deed, ids: desk.ids });
    const earlier = await earlierChampion(tx, wanted);
    await demand(tx, { id: earlier.id, transition: 'restore', at }, caller);
    const restored = await moveRelease(
      tx,
      { id: earlier.id, transition: 'restore' },
      { ...deed, ids: desk.ids },
    );
    // Holds what was signed against what is on record: a version that would not be served is refused here, while the other still answers.
    const { id: release, version } = restored;
    await desk.signer.attest(tx, {
      model,
      version,
      release,
      approvedBy: [caller.name],
      at,
      origin: caller.origin,
    });
    await withdrawPrecomputed(tx, { model, version: undone.version, restored: version, at });
    await moveChampion(tx, { id: earlier.id, model, version }, { ...deed, ids: desk.ids });
    return restored;
  });
}

async function demand(
  tx: Executor,
  { id, transition, at }: { id: string; transition: 'roll-back' | 'restore'; at: Date },
  actor: Caller,
): Promise<void> {
  const release = await getRelease(tx, id, at);
  const version = await readVersion(tx, release);
  demandTransition({ transition, actor, release, version, now: at });
}

async function earlierChampion(tx: Executor, { model, to }: Rollback): Promise<EarlierRelease> {
  const earlier = await restorableReleases(tx, model);
  const champion = await findAlias(tx, model, CHAMPION);
  if (to !== undefined && to === champion?.version)
    throw new NothingToRestoreError(model, `Version ${to} of '${model}' is in production now.`);
  const found = to === undefined ? earlier[0] : earlier.find(({ version }) => version === to);
  if (found !== undefined) return found;
  throw new NothingToRestoreError(model, nothingLeft(model, to, earlier));
}

function nothingLeft(model: string, to: number | undefined, earlier: EarlierRelease[]): string {
  if (to === undefined)
    return `'${model}' has no earlier champion that was not rolled back itself: request a release of another version instead.`;
  const versions = [...new Set(earlier.map(({ version }) => version))];
  const known = versions.length === 0 ? 'there is none' : versions.slice(0, 10).join(', ');
  return `Version ${to} of '${model}' is no earlier champion, or was rolled back itself (to go back to: ${known}). To put it into production, request a release of it.`;
}
