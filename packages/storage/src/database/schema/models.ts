import { sql } from 'drizzle-orm';
import {
  bigint,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type {
  Envelope,
  Evaluation,
  GateReport,
  Lineage,
  ModelCard,
  ReproductionDifference,
  ReproductionState,
  Signature,
  Failure,
} from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';
import { runs } from './runs.ts';
import { datasetVersions } from './datasets.ts';

export const models = pgTable('models', {
  name: text().primaryKey(),
  description: text().notNull().default(''),
  createdAt: instant('created_at').notNull(),
  latestVersion: integer('latest_version').notNull(),
});

export const modelVersions = pgTable(
  'model_versions',
  {
    model: text()
      .notNull()
      .references(() => models.name),
    version: integer().notNull(),
    /** The run that registered it; a run registers once. */
    runId: uuid('run_id').references(() => runs.id),
    artifactDigest: text('artifact_digest').notNull(),
    artifactBytes: bigint('artifact_bytes', { mode: 'number' }).notNull(),
    datasetDigest: text('dataset_digest').references(() => datasetVersions.digest),
    signature: jsonb().$type<Signature>().notNull(),
    lineage: jsonb().$type<Lineage>().notNull(),
    /** Null of an imported version. */
    gate: jsonb().$type<GateReport>(),
    card: jsonb().$type<ModelCard>().notNull(),
    asOf: instant('as_of').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.version] }),
    uniqueIndex('model_versions_by_run').on(table.runId),
    index('model_versions_by_artifact').on(table.artifactDigest),
    index('model_versions_by_dataset').on(table.datasetDigest),
    /** Which versions began at the weights of another. */
    index('model_versions_by_warm_start').on(sql`(${table.lineage} ->> 'warmStartedFrom')`),
  ],
);

export const evaluations = pgTable(
  'evaluations',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    version: integer().notNull(),
    datasetDigest: text('dataset_digest').notNull(),
    evaluation: jsonb().$type<Evaluation>().notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    foreignKey({
      columns: [table.model, table.version],
      foreignColumns: [modelVersions.model, modelVersions.version],
    }),
    index('evaluations_by_version').on(table.model, table.version),
  ],
);

/**
 * Which candidates each set of test rows has been asked about. A row is written before the comparison is made, so that an answer that was seen is
 * paid for whatever happens after; the same question asked again finds its row.
 */
export const testSetComparisons = pgTable(
  'test_set_comparisons',
  {
    /** Digest of the test split. */
    split: text().notNull(),
    /** From 1, without gaps. */
    comparison: integer().notNull(),
    candidate: text().notNull(),
    champion: text().notNull(),
    runId: uuid('run_id').references(() => runs.id),
    at: instant().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.split, table.comparison] }),
    uniqueIndex('test_set_comparisons_once').on(table.split, table.candidate, table.champion),
  ],
);

export const reproductions = pgTable(
  'reproductions',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    version: integer().notNull(),
    state: text().$type<ReproductionState>().notNull(),
    differences: jsonb().$type<ReproductionDifference[]>().notNull(),
    error: jsonb().$type<Failure>(),
    requestedBy: text('requested_by').notNull(),
    createdAt: instant('created_at').notNull(),
    endedAt: instant('ended_at'),
  },
  (table) => [
    foreignKey({
      columns: [table.model, table.version],
      foreignColumns: [modelVersions.model, modelVersions.version],
    }),
    index('reproductions_by_version').on(table.model, table.version),
  ],
);

export const modelTags = pgTable(
  'model_tags',
  {
    model: text()
      .notNull()
      .references(() => models.name),
    key: text().notNull(),
    value: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.model, table.key] })],
);

/** What may still be said of a version: its row itself is never changed. */
export const versionNotes = pgTable(
  'version_notes',
  { model: text().notNull(), version: integer().notNull(), description: text().notNull() },
  (table) => [
    primaryKey({ columns: [table.model, table.version] }),
    foreignKey({
      columns: [table.model, table.version],
      foreignColumns: [modelVersions.model, modelVersions.version],
    }),
  ],
);

export const versionTags = pgTable(
  'version_tags',
  {
    model: text().notNull(),
    version: integer().notNull(),
    key: text().notNull(),
    value: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.version, table.key] }),
    foreignKey({
      columns: [table.model, table.version],
      foreignColumns: [modelVersions.model, modelVersions.version],
    }),
  ],
);

/** The signed statement of what was approved; one per version, written when its release first is. */
export const attestations = pgTable(
  'attestations',
  {
    model: text().notNull(),
    version: integer().notNull(),
    envelope: jsonb().$type<Envelope>().notNull(),
    keyId: text('key_id')
      .notNull()
      .references(() => signingKeys.id),
    signedAt: instant('signed_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.version] }),
    foreignKey({
      columns: [table.model, table.version],
      foreignColumns: [modelVersions.model, modelVersions.version],
    }),
  ],
);

/** Public halves of the installation's signing keys. The private half never enters the database. */
export const signingKeys = pgTable('signing_keys', {
  /** SHA-256 of the public key's DER form, in hexadecimal. */
  id: text().primaryKey(),
  /** SPKI in PEM. */
  publicKey: text('public_key').notNull(),
  createdAt: instant('created_at').notNull(),
});
