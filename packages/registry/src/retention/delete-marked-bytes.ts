import { lockRetention, markArtifactsDeleted, takeMarkedArtifacts, transaction } from '@perennial/storage';
import type { RetentionDependencies } from './retention-desk.ts';

/** Artifacts whose bytes go while the lock is held once: promotions wait that long, in S3 perhaps half a second. */
const AT_ONCE = 20;

/**
 * Deletes the bytes of artifacts that are marked as removed, those of an interrupted pass too. The lock is held while they go: an artifact that somebody puts on record in the same
 * moment is either taken off the list before, or found missing after and made again.
 * @returns how many there were
 */
export async function deleteMarkedBytes({
  database,
  artifacts,
  clock,
}: RetentionDependencies): Promise<number> {
  let total = 0;
  for (let deleted = AT_ONCE; deleted === AT_ONCE; total += deleted) {
    deleted = await transaction(database, async (tx) => {
      await lockRetention(tx);
      const digests = await takeMarkedArtifacts(tx, AT_ONCE);
      for (const digest of digests) await artifacts.delete(digest);
      await markArtifactsDeleted(tx, digests, clock.now());
      return digests.length;
    });
  }
  return total;
}
