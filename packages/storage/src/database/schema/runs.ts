import { sql } from 'drizzle-orm';
import { boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type {
  Failure,
  PipelineSpec,
  RunEvent,
  RunState,
  StepName,
  StepState,
  Trigger,
  Verdict,
} from '@perennial/contract';
import { instant, jsonb } from '../columns.ts';

export const pipelines = pgTable('pipelines', {
  name: text().primaryKey(),
  spec: jsonb().$type<PipelineSpec>().notNull(),
  codeDigest: text('code_digest').notNull(),
  loadedAt: instant('loaded_at').notNull(),
});

export const runs = pgTable(
  'runs',
  {
    id: uuid().primaryKey(),
    pipeline: text()
      .notNull()
      .references(() => pipelines.name),
    state: text().$type<RunState>().notNull(),
    trigger: jsonb().$type<Trigger>().notNull(),
    asOf: instant('as_of').notNull(),
    force: boolean().notNull(),
    /** The definition the run was asked for with, so that a later change of the file does not change the run. */
    spec: jsonb().$type<PipelineSpec>().notNull(),
    codeDigest: text('code_digest').notNull(),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    datasetDigest: text('dataset_digest'),
    version: integer(),
    verdict: text().$type<Verdict>(),
    error: jsonb().$type<Failure>(),
    /** Sequence of the last event; an append names the one it follows. */
    lastSequence: integer('last_sequence').notNull(),
    /**
     * Fencing token: grows each time a worker takes the run. What a worker writes names the token it took the run with, so that one whose lease went to
     * another writes nothing, however late it wakes.
     */
    fence: integer().notNull().default(0),
    backfillId: uuid('backfill_id'),
  },
  (table) => [
    index('runs_by_pipeline').on(table.pipeline, table.id.desc()),
    index('runs_unfinished')
      .on(table.state)
      .where(sql`${table.state} in ('queued', 'running')`),
  ],
);

export const runEvents = pgTable(
  'run_events',
  {
    runId: uuid('run_id')
      .notNull()
      .references(() => runs.id),
    sequence: integer().notNull(),
    at: instant().notNull(),
    event: jsonb().$type<RunEvent>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.sequence] })],
);

export const steps = pgTable(
  'steps',
  {
    runId: uuid('run_id')
      .notNull()
      .references(() => runs.id),
    name: text().$type<StepName>().notNull(),
    state: text().$type<StepState>().notNull(),
    attempt: integer().notNull(),
    /** Digest over everything the step's result follows from; equal digests mean equal results. */
    inputDigest: text('input_digest').notNull(),
    output: jsonb().$type<Record<string, unknown>>(),
    error: jsonb().$type<Failure>(),
    startedAt: instant('started_at').notNull(),
    endedAt: instant('ended_at'),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.name] }),
    index('steps_by_input')
      .on(table.name, table.inputDigest)
      .where(sql`${table.state} in ('succeeded', 'reused')`),
  ],
);
