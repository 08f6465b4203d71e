import { desc, eq } from 'drizzle-orm';
import { attestations } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** Most versions that are listed: the newest. */
const LIMIT = 100;

/** The versions of a model that were approved and signed, newest first, a hundred at most. Whether a signature holds is not looked at here. */
export async function listSignedVersions(db: Executor, model: string): Promise<number[]> {
  const rows = await db
    .select({ version: attestations.version })
    .from(attestations)
    .where(eq(attestations.model, model))
    .orderBy(desc(attestations.version))
    .limit(LIMIT);
  return rows.map(({ version }) => version);
}
