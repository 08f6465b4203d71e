import { asc, eq, gt } from 'drizzle-orm';
import {
  NotFoundError,
  type Page,
  type PageQuery,
  type Pipeline,
  type PipelineSpec,
} from '@perennial/contract';
import { pipelines } from '../database/schema.ts';
import { NAME_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

export interface PipelineRecord {
  spec: PipelineSpec;
  codeDigest: string;
  loadedAt: Date;
}

/** Writes down a pipeline as it was loaded; a later load of the same name replaces it. */
export async function savePipeline(
  db: Executor,
  { spec, codeDigest, loadedAt }: PipelineRecord,
): Promise<void> {
  await db
    .insert(pipelines)
    .values({ name: spec.name, spec, codeDigest, loadedAt })
    .onConflictDoUpdate({ target: pipelines.name, set: { spec, codeDigest, loadedAt } });
}

/** @throws NotFoundError */
export async function getPipeline(db: Executor, name: string): Promise<Pipeline> {
  const [row] = await db.select().from(pipelines).where(eq(pipelines.name, name));
  if (!row) throw new NotFoundError('pipeline', name);
  return toPipeline(row);
}

/** Pipelines by name. */
export async function listPipelines(db: Executor, query: PageQuery): Promise<Page<Pipeline>> {
  const after = decodeCursor(query.cursor, NAME_KEY);
  const rows = await db
    .select()
    .from(pipelines)
    .where(after === undefined ? undefined : gt(pipelines.name, after))
    .orderBy(asc(pipelines.name))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toPipeline, key: (row) => row.name });
}

function toPipeline(row: typeof pipelines.$inferSelect): Pipeline {
  return { name: row.name, spec: row.spec, codeDigest: row.codeDigest, loadedAt: row.loadedAt.toISOString() };
}
