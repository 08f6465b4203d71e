import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { Alert, AlertKind, DeliveryState, WebhookEvent, WebhookEventType } from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';
import { runs } from './runs.ts';

/** Append-only. */
export const alerts = pgTable(
  'alerts',
  {
    id: uuid().primaryKey(),
    kind: text().$type<AlertKind>().notNull(),
    severity: text().$type<Alert['severity']>().notNull(),
    model: text().notNull(),
    runId: uuid('run_id').references(() => runs.id),
    version: integer(),
    title: text().notNull(),
    message: text().notNull(),
    details: jsonb().$type<Record<string, unknown>>().notNull(),
    at: instant().notNull(),
  },
  (table) => [index('alerts_by_model').on(table.model, table.id.desc())],
);

export const webhooks = pgTable('webhooks', {
  id: uuid().primaryKey(),
  url: text().notNull(),
  events: jsonb().$type<WebhookEventType[]>().notNull(),
  /** Null: of all models. */
  model: text(),
  /** Signs the deliveries; must be at hand in clear for that, and is never shown again. */
  secret: text().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: instant('created_at').notNull(),
  deletedAt: instant('deleted_at'),
});

/** The outbox: a delivery is written, with its job, in the transaction of what it tells of. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    /** Also the `webhook-id` header, the same at every attempt and replay. */
    id: uuid().primaryKey(),
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id),
    event: jsonb().$type<WebhookEvent>().notNull(),
    state: text().$type<DeliveryState>().notNull(),
    attempts: integer().notNull(),
    nextAttemptAt: instant('next_attempt_at'),
    lastStatus: integer('last_status'),
    lastError: text('last_error'),
    createdAt: instant('created_at').notNull(),
    endedAt: instant('ended_at'),
  },
  (table) => [index('webhook_deliveries_by_webhook').on(table.webhookId, table.id.desc())],
);
