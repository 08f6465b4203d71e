import { sql } from 'drizzle-orm';
import {
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ReleaseState } from '@perennial/contract';
import { instant } from '../columns.ts';
import { modelVersions } from './models.ts';

export const releases = pgTable(
  'releases',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    version: integer().notNull(),
    state: text().$type<ReleaseState>().notNull(),
    requestedBy: text('requested_by').notNull(),
    requestedAt: instant('requested_at').notNull(),
    decidedBy: text('decided_by'),
    reason: text(),
    updatedAt: instant('updated_at').notNull(),
    lastSequence: integer('last_sequence').notNull(),
  },
  (table) => [
    foreignKey({
      columns: [table.model, table.version],
      foreignColumns: [modelVersions.model, modelVersions.version],
    }),
    /** One version is live per model, by the database's own word. */
    uniqueIndex('releases_one_live')
      .on(table.model)
      .where(sql`${table.state} = 'live'`),
    index('releases_by_model').on(table.model, table.id.desc()),
  ],
);

export const releaseEvents = pgTable(
  'release_events',
  {
    releaseId: uuid('release_id')
      .notNull()
      .references(() => releases.id),
    sequence: integer().notNull(),
    at: instant().notNull(),
    transition: text().notNull(),
    state: text().$type<ReleaseState>().notNull(),
    by: text().notNull(),
    reason: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.releaseId, table.sequence] })],
);

export const aliases = pgTable(
  'aliases',
  {
    model: text().notNull(),
    alias: text().notNull(),
    version: integer().notNull(),
    revision: integer().notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.alias] }),
    foreignKey({
      columns: [table.model, table.version],
      foreignColumns: [modelVersions.model, modelVersions.version],
    }),
  ],
);

export const aliasMoves = pgTable(
  'alias_moves',
  {
    model: text().notNull(),
    alias: text().notNull(),
    revision: integer().notNull(),
    version: integer().notNull(),
    previousVersion: integer('previous_version'),
    at: instant().notNull(),
    by: text().notNull(),
    reason: text().notNull(),
    releaseId: uuid('release_id').references(() => releases.id),
  },
  (table) => [primaryKey({ columns: [table.model, table.alias, table.revision] })],
);
