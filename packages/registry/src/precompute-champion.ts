import type { IdGenerator } from '@perennial/contract';
import {
  createPrecomputation,
  getEndpoint,
  getModelVersion,
  supersedeUnfinished,
  type Executor,
} from '@perennial/storage';

export interface NewChampion {
  model: string;
  version: number;
  at: Date;
  /** Who moved the alias. */
  by: string;
  ids: IdGenerator;
}

/**
 * What a new champion means for the answers that are computed before they are asked for: those that the champion before was computing are wanted no more, and where the endpoint says so
 * the new one's are queued. In the transaction that moves the alias, so that neither is there without the other.
 */
export async function precomputeChampion(
  tx: Executor,
  { model, version, at, by, ids }: NewChampion,
): Promise<void> {
  await supersedeUnfinished(tx, { model, at });
  const { modes, precompute } = (await getEndpoint(tx, model)).serving;
  if (!modes.includes('offline') || precompute?.after !== 'promotion') return;
  const { artifact } = await getModelVersion(tx, model, version);
  await createPrecomputation(tx, {
    id: ids.next(),
    model,
    version,
    artifact,
    keys: null,
    cause: 'promotion',
    requestedBy: by,
    createdAt: at,
  });
}
