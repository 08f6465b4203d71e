import { sql } from 'drizzle-orm';
import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { FeatureValue, LabelValue, PredictionMode, PredictionOutput } from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';

/**
 * Partitioned by day over the time inside the id (UUIDv7), so that the id alone is the primary key, which makes shipping exactly once
 * a plain `on conflict do nothing`, and retention drops partitions. The partitioning itself is written into the migration by hand:
 * drizzle has no word for it.
 */
export const predictions = pgTable(
  'predictions',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    version: integer().notNull(),
    endpoint: text().notNull(),
    key: text(),
    features: jsonb().$type<Record<string, FeatureValue>>().notNull(),
    output: jsonb().$type<PredictionOutput>().notNull(),
    mode: text().$type<PredictionMode>().notNull(),
    latencyMicroseconds: integer('latency_microseconds').notNull(),
    at: instant().notNull(),
  },
  (table) => [
    index('predictions_by_time').on(table.model, table.at),
    index('predictions_by_key')
      .on(table.model, table.key)
      .where(sql`${table.key} is not null`),
  ],
);

/** Append-only: a correction is a later row. `predictionId` or `key` says what the fact belongs to. */
export const groundTruth = pgTable(
  'ground_truth',
  {
    id: uuid().primaryKey(),
    model: text().notNull(),
    predictionId: uuid('prediction_id'),
    key: text(),
    label: jsonb().$type<LabelValue>().notNull(),
    observedAt: instant('observed_at').notNull(),
    receivedAt: instant('received_at').notNull(),
    receivedBy: text('received_by').notNull(),
  },
  (table) => [
    index('ground_truth_by_prediction')
      .on(table.predictionId)
      .where(sql`${table.predictionId} is not null`),
    index('ground_truth_by_key')
      .on(table.model, table.key)
      .where(sql`${table.key} is not null`),
  ],
);
