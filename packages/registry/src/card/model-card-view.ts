import type { ModelCardView } from '@perennial/contract';
import { getModelVersion, releasesOnCard, type Executor } from '@perennial/storage';

/**
 * The card of a version as it was written at registration, with what happened since.
 * @param now decides which approvals of a pending release hold
 * @throws NotFoundError
 */
export async function modelCardView(
  db: Executor,
  version: { model: string; version: number },
  now: Date,
): Promise<ModelCardView> {
  const { card, description, tags } = await getModelVersion(db, version.model, version.version);
  return { card, since: { description, tags, ...(await releasesOnCard(db, version, now)) } };
}
