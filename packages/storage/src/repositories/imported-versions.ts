import { and, asc, eq, sql } from 'drizzle-orm';
import { modelVersions, models } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** The oldest version of a model that has these bytes, by its number. */
export async function findVersionOfArtifact(
  db: Executor,
  model: string,
  artifact: string,
): Promise<number | undefined> {
  const [row] = await db
    .select({ version: modelVersions.version })
    .from(modelVersions)
    .where(and(eq(modelVersions.model, model), eq(modelVersions.artifactDigest, artifact)))
    .orderBy(asc(modelVersions.version))
    .limit(1);
  return row?.version;
}

/** Takes back a version number in the transaction that has taken it and so holds the model's row: nobody has seen it, and the next version has it. */
export async function returnVersionNumber(tx: Executor, model: string): Promise<void> {
  await tx
    .update(models)
    .set({ latestVersion: sql`${models.latestVersion} - 1` })
    .where(eq(models.name, model));
}
