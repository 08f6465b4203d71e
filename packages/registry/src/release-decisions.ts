import { parseId, type Clock, type Release } from '@perennial/contract';
import { getRelease, transaction, transitionRelease, type Database } from '@perennial/storage';
import { approveAndPromote } from './promotion.ts';

export interface ReleaseDesk {
  database: Database;
  clock: Clock;
}

export interface PersonsDecision {
  /** Edge id of the release. */
  release: string;
  by: string;
  reason: string;
}

/**
 * A person lets a pending release go live.
 * @throws NotFoundError, TransitionRefusedError, ConflictError
 */
export async function approveRelease(
  { database, clock }: ReleaseDesk,
  decision: PersonsDecision,
): Promise<Release> {
  const id = parseId('release', decision.release);
  const { by, reason } = decision;
  return transaction(database, async (tx) => {
    const { model, version } = await getRelease(tx, id);
    await approveAndPromote(tx, { id, model, version }, { by, reason, at: clock.now() });
    return getRelease(tx, id);
  });
}

/** A person refuses a pending release. @throws NotFoundError, TransitionRefusedError */
export async function rejectRelease(
  { database, clock }: ReleaseDesk,
  decision: PersonsDecision,
): Promise<Release> {
  const id = parseId('release', decision.release);
  const { by, reason } = decision;
  return transaction(database, async (tx) => {
    await transitionRelease(tx, { id, transition: 'reject' }, { by, reason, at: clock.now() });
    return getRelease(tx, id);
  });
}
