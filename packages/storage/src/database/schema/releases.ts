import { sql } from 'drizzle-orm';
import {
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ReleaseEvent, ReleaseState } from '@perennial/contract';
import { instant } from '../columns.ts';
import { modelVersions } from './models.ts';

export const releases = pgTable(
  'releases',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    version: integer().notNull(),
    state: text().$type<ReleaseState>().notNull(),
    /** An admin's word against the gate's; stands on the card for ever. */
    override: boolean().notNull().default(false),
    /** Different people that must approve; 0 where the policy does. As the policy was when the release was asked for. */
    approvers: integer().notNull().default(0),
    /** How long an approval holds; as the policy was then. */
    approvalsExpire: text('approvals_expire').notNull().default('7d'),
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
    type: text().$type<ReleaseEvent['type']>().notNull(),
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
    /** Null where the alias was removed. */
    version: integer(),
    previousVersion: integer('previous_version'),
    /** When it took effect. */
    at: instant().notNull(),
    /** When it was written down, by the database's clock: what was believed at an instant can be told from what was so. */
    recordedAt: instant('recorded_at')
      .notNull()
      .default(sql`clock_timestamp()`),
    by: text().notNull(),
    reason: text().notNull(),
    releaseId: uuid('release_id').references(() => releases.id),
  },
  (table) => [primaryKey({ columns: [table.model, table.alias, table.revision] })],
);

/** One person's yes to a release, bound to what it was given on. */
export const approvals = pgTable(
  'approvals',
  {
    releaseId: uuid('release_id')
      .notNull()
      .references(() => releases.id),
    by: text().notNull(),
    at: instant().notNull(),
    comment: text().notNull(),
    artifactDigest: text('artifact_digest').notNull(),
    gateReportDigest: text('gate_report_digest'),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.releaseId, table.by] })],
);
