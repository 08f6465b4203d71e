import { and, eq, sql } from 'drizzle-orm';
import { NotFoundError } from '@perennial/contract';
import { modelTags, models, modelVersions, versionNotes, versionTags } from '../database/schema.ts';
import type { Executor } from './executor.ts';
import { lockModel } from './models.ts';

/** One tag. */
export interface Tag {
  key: string;
  value: string;
}

/** Which version of which model. */
export interface VersionKey {
  model: string;
  version: number;
}

/** @returns what was said before @throws NotFoundError */
export async function describeModel(tx: Executor, model: string, description: string): Promise<string> {
  const { description: before } = await lockModel(tx, model);
  await tx.update(models).set({ description }).where(eq(models.name, model));
  return before;
}

/** Sets a tag, whatever value it had. @returns the value it had @throws NotFoundError when there is no such model */
export async function setModelTag(tx: Executor, model: string, { key, value }: Tag): Promise<string | null> {
  await lockModel(tx, model);
  const [row] = await tx
    .select({ value: modelTags.value })
    .from(modelTags)
    .where(and(eq(modelTags.model, model), eq(modelTags.key, key)));
  await tx
    .insert(modelTags)
    .values({ model, key, value })
    .onConflictDoUpdate({ target: [modelTags.model, modelTags.key], set: { value } });
  return row?.value ?? null;
}

/** @returns the value it had @throws NotFoundError when there is no such model, or it has no such tag */
export async function removeModelTag(tx: Executor, model: string, key: string): Promise<string> {
  await lockModel(tx, model);
  const [row] = await tx
    .delete(modelTags)
    .where(and(eq(modelTags.model, model), eq(modelTags.key, key)))
    .returning({ value: modelTags.value });
  if (!row) throw new NotFoundError('tag', key);
  return row.value;
}

/** Says something of a version beside its row, which is never changed. @returns what was said before @throws NotFoundError */
export async function describeVersion(tx: Executor, key: VersionKey, description: string): Promise<string> {
  await lockVersion(tx, key);
  const { model, version } = key;
  const [row] = await tx
    .select({ description: versionNotes.description })
    .from(versionNotes)
    .where(and(eq(versionNotes.model, model), eq(versionNotes.version, version)));
  await tx
    .insert(versionNotes)
    .values({ model, version, description })
    .onConflictDoUpdate({ target: [versionNotes.model, versionNotes.version], set: { description } });
  return row?.description ?? '';
}

/** Sets a tag, whatever value it had. @returns the value it had @throws NotFoundError when there is no such version */
export async function setVersionTag(
  tx: Executor,
  of: VersionKey,
  { key, value }: Tag,
): Promise<string | null> {
  await lockVersion(tx, of);
  const { model, version } = of;
  const [row] = await tx.select({ value: versionTags.value }).from(versionTags).where(versionTag(of, key));
  await tx
    .insert(versionTags)
    .values({ model, version, key, value })
    .onConflictDoUpdate({
      target: [versionTags.model, versionTags.version, versionTags.key],
      set: { value },
    });
  return row?.value ?? null;
}

/** @returns the value it had @throws NotFoundError when there is no such version, or it has no such tag */
export async function removeVersionTag(tx: Executor, of: VersionKey, key: string): Promise<string> {
  await lockVersion(tx, of);
  const [row] = await tx
    .delete(versionTags)
    .where(versionTag(of, key))
    .returning({ value: versionTags.value });
  if (!row) throw new NotFoundError('tag', key);
  return row.value;
}

function versionTag({ model, version }: VersionKey, key: string) {
  return and(eq(versionTags.model, model), eq(versionTags.version, version), eq(versionTags.key, key));
}

/** Changes of what is said of one version follow one another, so that each knows what was said before. A lock is no change of the row. */
async function lockVersion(tx: Executor, { model, version }: VersionKey): Promise<void> {
  const [row] = await tx
    .select({ found: sql`1` })
    .from(modelVersions)
    .where(and(eq(modelVersions.model, model), eq(modelVersions.version, version)))
    .for('update');
  if (!row) throw new NotFoundError('version', `${model}@${version}`);
}
