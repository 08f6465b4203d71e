import { bigint, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { datasetVersions } from './datasets.ts';

/**
 * The source files that dataset versions were made from, by content. A table beside the cards, since a dataset version keeps the card of its first making: another
 * file that gives the very same rows (one with newer rows at its end) was eaten too.
 */
export const datasetFiles = pgTable(
  'dataset_files',
  {
    dataset: text()
      .notNull()
      .references(() => datasetVersions.digest),
    digest: text().notNull(),
    name: text().notNull(),
    bytes: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.dataset, table.digest, table.name] }),
    index('dataset_files_by_digest').on(table.digest, table.dataset),
  ],
);
