import { and, desc, eq, isNotNull, lt, or, sql } from 'drizzle-orm';
import {
  NotFoundError,
  type DataCard,
  type DatasetManifest,
  type DatasetSummary,
  type DatasetVersion,
  type Page,
  type PageQuery,
} from '@perennial/contract';
import { datasetFiles, datasetVersions } from '../database/schema.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

type Row = typeof datasetVersions.$inferSelect;

export interface NewDatasetVersion {
  digest: string;
  asOf: Date;
  createdAt: Date;
  manifest: DatasetManifest;
  card: DataCard;
}

/**
 * Records a dataset version and the files it was made from. The same content made again is the same version: its first record stays, and files that are new join the ones before.
 */
export async function saveDatasetVersion(db: Executor, dataset: NewDatasetVersion): Promise<void> {
  await db
    .insert(datasetVersions)
    .values({ ...dataset, pipeline: dataset.manifest.pipeline })
    .onConflictDoUpdate({
      target: datasetVersions.digest,
      set: { removedAt: null },
      setWhere: isNotNull(datasetVersions.removedAt),
    });
  await saveDatasetFiles(db, dataset.digest, dataset.card.files);
}

/** Rows of one statement: each has four parameters, of which PostgreSQL takes 65,535. */
const FILES_AT_ONCE = 10_000;

async function saveDatasetFiles(db: Executor, dataset: string, files: DataCard['files']): Promise<void> {
  for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
    const rows = files.slice(start, start + FILES_AT_ONCE).map((file) => ({ dataset, ...file }));
    await db.insert(datasetFiles).values(rows).onConflictDoNothing();
  }
}

/** @throws NotFoundError */
export async function getDatasetVersion(db: Executor, digest: string): Promise<DatasetVersion> {
  const [row] = await db.select().from(datasetVersions).where(eq(datasetVersions.digest, digest));
  if (!row) throw new NotFoundError('dataset', digest);
  return {
    digest: row.digest,
    pipeline: row.pipeline,
    asOf: row.asOf.toISOString(),
    createdAt: row.createdAt.toISOString(),
    manifest: row.manifest,
    card: row.card,
    ...(row.removedAt && { removedAt: row.removedAt.toISOString() }),
  };
}

const CURSOR = /^[0-9]{1,16} sha256:[0-9a-f]{64}$/;

/** Dataset versions, newest first. */
export async function listDatasetVersions(
  db: Executor,
  query: PageQuery & { pipeline?: string | undefined },
): Promise<Page<DatasetSummary>> {
  const rows = await db
    .select()
    .from(datasetVersions)
    .where(
      and(
        query.pipeline === undefined ? undefined : eq(datasetVersions.pipeline, query.pipeline),
        olderThan(query.cursor),
      ),
    )
    .orderBy(desc(datasetVersions.createdAt), datasetVersions.digest)
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toSummary, key: (row) => `${row.createdAt.getTime()} ${row.digest}` });
}

function olderThan(cursor: string | undefined) {
  const key = decodeCursor(cursor, CURSOR);
  if (key === undefined) return undefined;
  const [milliseconds = '', digest = ''] = key.split(' ');
  const createdAt = new Date(Number(milliseconds));
  return or(
    lt(datasetVersions.createdAt, createdAt),
    and(eq(datasetVersions.createdAt, createdAt), sql`${datasetVersions.digest} > ${digest}`),
  );
}

function toSummary(row: Row): DatasetSummary {
  const { train, validation, test } = row.manifest.splits;
  return {
    digest: row.digest,
    pipeline: row.pipeline,
    asOf: row.asOf.toISOString(),
    createdAt: row.createdAt.toISOString(),
    rows: { train: train.rows, validation: validation.rows, test: test.rows },
    quarantined: row.card.quarantine.rows,
  };
}
