import { index, pgTable, text } from 'drizzle-orm/pg-core';
import type { RetentionKind, RetentionRule } from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';

/** How long each kind is kept. A kind without a row is kept for ever. */
export const retentionRules = pgTable('retention_rules', {
  kind: text().$type<RetentionKind>().primaryKey(),
  rule: jsonb().$type<RetentionRule>().notNull(),
  changedAt: instant('changed_at').notNull(),
});

/** Days on which the scheduler has asked for a pass, so that of many schedulers one does. */
export const retentionPasses = pgTable('retention_passes', {
  day: text().primaryKey(),
  queuedAt: instant('queued_at').notNull(),
});

/**
 * Artifacts that are not kept any more. A row is written before the bytes go, so that a version whose file is about to go cannot be promoted, and a pass
 * that was interrupted is finished by the next; a digest that is put on record again loses its row.
 */
export const removedArtifacts = pgTable(
  'removed_artifacts',
  {
    digest: text().primaryKey(),
    /** Why: `retention`, `erasure`. */
    because: text().notNull(),
    removedAt: instant('removed_at').notNull(),
    /** When the bytes went; null while they may still be there. */
    deletedAt: instant('deleted_at'),
  },
  (table) => [index('removed_artifacts_unfinished').on(table.deletedAt)],
);

/** Artifacts of the store that nothing on record refers to, since a pass first noticed; one that was just put is about to be referred to. */
export const unreferencedArtifacts = pgTable('unreferenced_artifacts', {
  digest: text().primaryKey(),
  noticedAt: instant('noticed_at').notNull(),
});

/**
 * Keys whose predictions were erased. A record of such a key from before then, which a journal somewhere still held, is not taken in. Of the key only the hash
 * is kept.
 */
export const erasedKeys = pgTable('erased_keys', {
  /** SHA-256 of the key's UTF-8 bytes, in hexadecimal. */
  keyHash: text('key_hash').primaryKey(),
  /** Predictions up to this instant are erased. */
  erasedAt: instant('erased_at').notNull(),
});
