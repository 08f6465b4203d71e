import { ConflictError } from '@perennial/contract';
import {
  NothingToRestoreError,
  requestRelease,
  rollBack,
  type Caller,
  type ReleaseDesk,
} from '@perennial/registry';

export const PROMOTED_MODEL = 'churn';

/** May override what stands against a version, so that each of the model's versions can become champion again and again. */
export const PROMOTER: Caller = {
  name: 'token:chaos',
  roles: ['admin'],
  models: null,
  kind: 'person',
  origin: '192.0.2.7 req_chaos',
};

/** Promotes a random version, or rolls the champion back. Tells whether it did, or was refused because of what others did first. */
export async function changeChampion(desk: ReleaseDesk, versions: number): Promise<boolean> {
  try {
    await (Math.random() < 0.6 ? promoteAny(desk, versions) : goBack(desk));
    return true;
  } catch (error) {
    if (error instanceof ConflictError || error instanceof NothingToRestoreError) return false;
    throw error;
  }
}

async function promoteAny(desk: ReleaseDesk, versions: number): Promise<void> {
  const version = 1 + Math.floor(Math.random() * versions);
  const wanted = { model: PROMOTED_MODEL, version, reason: 'chaos', override: true };
  await requestRelease(desk, wanted, PROMOTER);
}

async function goBack(desk: ReleaseDesk): Promise<void> {
  await rollBack(desk, { model: PROMOTED_MODEL, reason: 'chaos' }, PROMOTER);
}
