import { boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type {
  BackfillState,
  StreamEvent,
  TriggerCause,
  TriggerKind,
  TriggerOutcome,
} from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';
import { pipelines, runs } from './runs.ts';

/** Every trigger and what became of it; append-only. */
export const triggers = pgTable(
  'triggers',
  {
    id: uuid().primaryKey(),
    pipeline: text().notNull(),
    kind: text().$type<TriggerKind>().notNull(),
    by: text().notNull(),
    cause: jsonb().$type<TriggerCause>().notNull(),
    at: instant().notNull(),
    outcome: text().$type<TriggerOutcome>().notNull(),
    reason: text().notNull(),
    runId: uuid('run_id').references(() => runs.id),
  },
  (table) => [index('triggers_by_pipeline').on(table.pipeline, table.id.desc())],
);

/** When each pipeline is due next. A scheduler takes a due time by moving `nextRunAt` on in one statement, so that one of many takes it. */
export const schedules = pgTable('schedules', {
  pipeline: text()
    .primaryKey()
    .references(() => pipelines.name),
  cron: text().notNull(),
  timezone: text().notNull(),
  nextRunAt: instant('next_run_at').notNull(),
});

export const streams = pgTable('streams', {
  name: text().primaryKey(),
  createdAt: instant('created_at').notNull(),
});

/** Append-only. Ids are UUIDv7, so their order is that of arrival. */
export const streamEvents = pgTable(
  'stream_events',
  {
    id: uuid().primaryKey(),
    stream: text()
      .notNull()
      .references(() => streams.name),
    event: jsonb().$type<StreamEvent>().notNull(),
    receivedAt: instant('received_at').notNull(),
  },
  (table) => [index('stream_events_by_stream').on(table.stream, table.id)],
);

/** How far each pipeline has taken each stream: events up to and including `lastEventId` have raised a trigger. */
export const streamCursors = pgTable(
  'stream_cursors',
  {
    pipeline: text().notNull(),
    stream: text().notNull(),
    lastEventId: uuid('last_event_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.pipeline, table.stream] })],
);

export const backfills = pgTable('backfills', {
  id: uuid().primaryKey(),
  pipeline: text()
    .notNull()
    .references(() => pipelines.name),
  firstDay: text('first_day').notNull(),
  lastDay: text('last_day').notNull(),
  force: boolean().notNull(),
  state: text().$type<BackfillState>().notNull(),
  /** The day whose run is under way or comes next; null when all are through. */
  nextDay: text('next_day'),
  done: integer().notNull(),
  reason: text(),
  by: text().notNull(),
  createdAt: instant('created_at').notNull(),
});
