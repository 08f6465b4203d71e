import { and, eq } from 'drizzle-orm';
import { takenFiles } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** A file by its content. */
export interface FoundFile {
  name: string;
  bytes: number;
  digest: string;
}

/** The digest of no bytes. Its row says that a watch has begun: an empty file is never taken, so no other can have it. */
const NOTHING = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Whether the files of a pipeline are being watched already, by this process or another or an earlier one. */
export async function isWatched(db: Executor, pipeline: string): Promise<boolean> {
  const rows = await db
    .select({ name: takenFiles.name })
    .from(takenFiles)
    .where(and(eq(takenFiles.pipeline, pipeline), eq(takenFiles.digest, NOTHING)));
  return rows.length > 0;
}

/** Begins to watch: the files that are there count as taken. */
export async function beginWatch(
  tx: Executor,
  pipeline: string,
  { files, at }: { files: FoundFile[]; at: Date },
): Promise<void> {
  await takeFiles(tx, pipeline, { files: [...files, { name: '', bytes: 0, digest: NOTHING }], at });
}

/** Takes files. @returns those whose content was not taken before, each content once */
export async function takeFiles(
  tx: Executor,
  pipeline: string,
  { files, at }: { files: FoundFile[]; at: Date },
): Promise<FoundFile[]> {
  const fresh: FoundFile[] = [];
  for (let start = 0; start < files.length; start += ROWS_PER_STATEMENT) {
    const rows = files.slice(start, start + ROWS_PER_STATEMENT);
    const taken = await tx
      .insert(takenFiles)
      .values(rows.map(({ name, bytes, digest }) => ({ pipeline, name, bytes, digest, takenAt: at })))
      .onConflictDoNothing()
      .returning({ name: takenFiles.name, bytes: takenFiles.bytes, digest: takenFiles.digest });
    fresh.push(...taken);
  }
  return fresh;
}

/** Five parameters each, of the 65,535 that PostgreSQL allows. */
const ROWS_PER_STATEMENT = 5_000;
