import { bigint, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { DataCard, DatasetManifest } from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';

export const datasetVersions = pgTable(
  'dataset_versions',
  {
    digest: text().primaryKey(),
    pipeline: text().notNull(),
    asOf: instant('as_of').notNull(),
    createdAt: instant('created_at').notNull(),
    manifest: jsonb().$type<DatasetManifest>().notNull(),
    card: jsonb().$type<DataCard>().notNull(),
    /** When its rows were removed; manifest and card stay. Null while they are kept. */
    removedAt: instant('removed_at'),
  },
  (table) => [index('dataset_versions_by_time').on(table.createdAt.desc(), table.digest)],
);

/** Files that have started a run, by content: each counts once per pipeline, whatever it is called. */
export const takenFiles = pgTable(
  'taken_files',
  {
    pipeline: text().notNull(),
    digest: text().notNull(),
    name: text().notNull(),
    bytes: bigint({ mode: 'number' }).notNull(),
    takenAt: instant('taken_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.pipeline, table.digest] })],
);
