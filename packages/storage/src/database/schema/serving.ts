import { sql } from 'drizzle-orm';
import { bigint, index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type {
  AsyncPredictionState,
  BatchInput,
  BatchState,
  EndpointSource,
  Failure,
  FeatureValue,
  Precomputation,
  PrecomputationState,
  PredictRequest,
  PredictResponse,
  PredictionOutput,
  ServingSpec,
} from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';

/** How models are served, by the name they are asked under. A model without a row is served the default way. */
export const endpoints = pgTable('endpoints', {
  name: text().primaryKey(),
  model: text().notNull(),
  serving: jsonb().$type<ServingSpec>().notNull(),
  source: text().$type<EndpointSource>().notNull(),
  updatedAt: instant('updated_at').notNull(),
  updatedBy: text('updated_by').notNull(),
});

/** The last known row of each entity of a model whose pipeline names a key: refreshed by the data step, never put back to an older row. */
export const entityFeatures = pgTable(
  'entity_features',
  {
    model: text().notNull(),
    key: text().notNull(),
    features: jsonb().$type<Record<string, FeatureValue>>().notNull(),
    /** When the row happened. */
    at: instant().notNull(),
    /** The dataset version it came with. */
    dataset: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.model, table.key] })],
);

export const precomputations = pgTable(
  'precomputations',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    version: integer().notNull(),
    artifact: text().notNull(),
    state: text().$type<PrecomputationState>().notNull(),
    keys: text(),
    cause: text().$type<Precomputation['cause']>().notNull(),
    rows: bigint({ mode: 'number' }),
    done: bigint({ mode: 'number' }).notNull().default(0),
    refused: bigint({ mode: 'number' }).notNull().default(0),
    requestedBy: text('requested_by').notNull(),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    error: jsonb().$type<Failure>(),
  },
  (table) => [
    index('precomputations_by_model').on(table.model, table.id.desc()),
    /** One table answers at a time. */
    uniqueIndex('precomputations_live')
      .on(table.model)
      .where(sql`${table.state} = 'live'`),
  ],
);

/** Stretches of the population, by key; written once when the precomputation starts. */
export const precomputationChunks = pgTable(
  'precomputation_chunks',
  {
    precomputation: uuid()
      .notNull()
      .references(() => precomputations.id, { onDelete: 'cascade' }),
    chunk: integer().notNull(),
    /** First and last key, both included. */
    fromKey: text('from_key').notNull(),
    toKey: text('to_key').notNull(),
    rows: integer().notNull(),
    /** Null until it is scored. */
    doneAt: instant('done_at'),
  },
  (table) => [primaryKey({ columns: [table.precomputation, table.chunk] })],
);

export const precomputedPredictions = pgTable(
  'precomputed_predictions',
  {
    precomputation: uuid()
      .notNull()
      .references(() => precomputations.id, { onDelete: 'cascade' }),
    key: text().notNull(),
    output: jsonb().$type<PredictionOutput>().notNull(),
    features: jsonb().$type<Record<string, FeatureValue>>().notNull(),
    /** When the entity's row happened. */
    featuresAt: instant('features_at').notNull(),
    computedAt: instant('computed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.precomputation, table.key] })],
);

/** What of a batch's input a chunk is. */
export interface BatchPart {
  /** Name of the file or key, for people. */
  file: string;
  /** Of the Parquet file that is read. */
  digest: string;
  /** Whether that file is in the artifact store, and made for this batch; else it lies where batches may read, under its name. */
  place: 'folder' | 'store' | 'made';
  /** First row, and how many. */
  from: number;
  rows: number;
}

export const batches = pgTable(
  'batches',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    version: integer().notNull(),
    artifact: text().notNull(),
    input: jsonb().$type<BatchInput>().notNull(),
    keys: jsonb().$type<string[]>().notNull(),
    state: text().$type<BatchState>().notNull(),
    rows: bigint({ mode: 'number' }),
    done: bigint({ mode: 'number' }).notNull().default(0),
    output: jsonb().$type<{ digest: string; bytes: number; rows: number }>(),
    requestedBy: text('requested_by').notNull(),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    error: jsonb().$type<Failure>(),
  },
  (table) => [index('batches_by_model').on(table.model, table.id.desc())],
);

/** Parts of a batch's input; written once when the batch starts. */
export const batchChunks = pgTable(
  'batch_chunks',
  {
    batch: uuid()
      .notNull()
      .references(() => batches.id, { onDelete: 'cascade' }),
    chunk: integer().notNull(),
    part: jsonb().$type<BatchPart>().notNull(),
    /** Its Parquet file in the artifact store; null until it is scored. */
    output: text(),
    bytes: bigint({ mode: 'number' }),
    doneAt: instant('done_at'),
  },
  (table) => [primaryKey({ columns: [table.batch, table.chunk] })],
);

export const asyncPredictions = pgTable(
  'async_predictions',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    request: jsonb().$type<PredictRequest>(),
    state: text().$type<AsyncPredictionState>().notNull(),
    response: jsonb().$type<PredictResponse>(),
    error: jsonb().$type<Failure>(),
    requestedBy: text('requested_by').notNull(),
    createdAt: instant('created_at').notNull(),
    endedAt: instant('ended_at'),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [
    index('async_predictions_by_model').on(table.model, table.id.desc()),
    index('async_predictions_by_expiry').on(table.expiresAt),
    /** What counts towards the limit of a model's queue. */
    index('async_predictions_unfinished')
      .on(table.model)
      .where(sql`${table.state} in ('queued', 'running')`),
  ],
);
