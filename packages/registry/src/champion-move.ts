import { type Release } from '@perennial/contract';
import { getRelease, releasesInState, transaction, type Executor } from '@perennial/storage';
import { ReleaseRefusedError } from './errors.ts';
import type { Caller, ReleaseDesk } from './release-context.ts';
import { approveRelease, requestRelease } from './release-decisions.ts';
import {
  approversNeeded,
  demandTransition,
  standingApprovers,
  type VersionInQuestion,
} from './release-policy.ts';
import { readVersionToRelease } from './release-record.ts';

export interface ChampionWanted {
  model: string;
  version: number;
  reason: string;
}

/**
 * Makes a version the champion in one step, as clients ask that know of aliases and not of releases: by the caller's approval of the release that waits for it, or by a
 * release that its policy lets through at once. Where one step cannot do it, nothing is changed. Of the version that is the champion already there is nothing to do.
 * @throws ReleaseRefusedError saying what is missing and what to do instead
 * @throws NotFoundError, ConflictError
 */
export async function makeChampion(desk: ReleaseDesk, wanted: ChampionWanted, caller: Caller): Promise<void> {
  const step = await transaction(desk.database, (tx) =>
    planStep(tx, wanted, { caller, now: desk.clock.now() }),
  );
  const { model, version, reason } = wanted;
  switch (step.kind) {
    case 'none':
      return;
    case 'approve':
      return demandLive(await approveRelease(desk, { release: step.release, reason }, caller));
    case 'request':
      return demandLive(await requestRelease(desk, { model, version, reason, override: false }, caller));
  }
}

type Step = { kind: 'none' | 'request' } | { kind: 'approve'; release: string };

interface Asked {
  caller: Caller;
  now: Date;
}

async function planStep(tx: Executor, wanted: ChampionWanted, asked: Asked): Promise<Step> {
  const { model } = wanted;
  const { version, terms, champion } = await readVersionToRelease(tx, { ...wanted, override: false });
  if (champion === wanted.version) return { kind: 'none' };
  const waiting = await findWaiting(tx, wanted, asked.now);
  if (waiting) {
    demandLastApproval(waiting, version, asked);
    return { kind: 'approve', release: waiting.id };
  }
  const { caller: actor, now } = asked;
  const proposed = { id: null, state: null, model, override: false, requestedBy: actor.name, approvals: [] };
  const release = { ...proposed, approvers: terms.approvers };
  demandTransition({ transition: 'request', actor, release, version, now });
  if (terms.approvers === 0) return { kind: 'request' };
  const way = `request it (\`perennial release request ${model}@${wanted.version}\`), and have it approved by somebody else.`;
  throw new ReleaseRefusedError(
    model,
    'approve',
    `A release of '${model}' takes ${terms.approvers} approval(s) by others than who asks: ${way}`,
  );
}

async function findWaiting(
  tx: Executor,
  { model, version }: ChampionWanted,
  now: Date,
): Promise<Release | undefined> {
  for (const id of await releasesInState(tx, model, ['pending'])) {
    const release = await getRelease(tx, id, now);
    if (release.version === version) return release;
  }
  return undefined;
}

/** The caller's approval must be the one that is missing. */
function demandLastApproval(release: Release, version: VersionInQuestion, { caller, now }: Asked): void {
  demandTransition({ transition: 'approve', actor: caller, release, version, now });
  const others = standingApprovers({ release, version, now }).filter((name) => name !== caller.name);
  const needed = approversNeeded(release);
  if (others.length + 1 >= needed) return;
  throw new ReleaseRefusedError(
    release.model,
    'approve',
    `The release ${release.id} takes ${needed} approvals and has ${others.length}: with yours it would wait on. Approve it as a release (\`perennial release approve ${release.id}\`).`,
  );
}

/** What was planned may have changed before it was done. */
function demandLive({ id, model, state }: Release): void {
  if (state === 'live') return;
  throw new ReleaseRefusedError(
    model,
    'promote',
    `The release ${id} is ${state}: its policy changed meanwhile.`,
  );
}
