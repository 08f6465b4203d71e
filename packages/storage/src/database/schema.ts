import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type {
  BackfillState,
  DataCard,
  DatasetManifest,
  Evaluation,
  Failure,
  FeatureValue,
  GateReport,
  LabelValue,
  Lineage,
  ModelCard,
  PipelineSpec,
  PredictionMode,
  PredictionOutput,
  ReleaseState,
  RunEvent,
  RunState,
  Signature,
  StepName,
  StepState,
  StreamEvent,
  Trigger,
  TriggerCause,
  TriggerKind,
  TriggerOutcome,
  Verdict,
} from '@perennial/contract';
import { jsonb } from './columns.ts';

/**
 * The tables. Events first, status second: `run_events`, `release_events` and `alias_moves` are append-only facts; `runs`, `steps`,
 * `releases` and `aliases` are projections of them, written in the same transaction.
 */

const instant = (name = '') => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

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

export const datasetVersions = pgTable(
  'dataset_versions',
  {
    digest: text().primaryKey(),
    pipeline: text().notNull(),
    asOf: instant('as_of').notNull(),
    createdAt: instant('created_at').notNull(),
    manifest: jsonb().$type<DatasetManifest>().notNull(),
    card: jsonb().$type<DataCard>().notNull(),
  },
  (table) => [index('dataset_versions_by_time').on(table.createdAt.desc(), table.digest)],
);

export const models = pgTable('models', {
  name: text().primaryKey(),
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
    gate: jsonb().$type<GateReport>().notNull(),
    card: jsonb().$type<ModelCard>().notNull(),
    asOf: instant('as_of').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.version] }),
    uniqueIndex('model_versions_by_run').on(table.runId),
    index('model_versions_by_artifact').on(table.artifactDigest),
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

/** The answer a request with an `Idempotency-Key` had, so that its repetition has the same. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    caller: text().notNull(),
    key: text().notNull(),
    /** Digest of route and body: the same key with another request is refused. */
    requestDigest: text('request_digest').notNull(),
    /** Null while the first request is still being worked on. */
    status: integer(),
    response: jsonb().$type<unknown>(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.caller, table.key] })],
);

/**
 * The workers that take jobs, each with the last time it showed life by the database's clock. A job of a worker that is silent is given to
 * another; graphile-worker alone would wait four hours.
 */
export const workerHeartbeats = pgTable('worker_heartbeats', {
  /** The name that graphile-worker locks jobs with. */
  worker: text().primaryKey(),
  pid: integer().notNull(),
  /** Start of the process and its machine: a pid alone does not name a process. */
  processStartedAt: text('process_started_at').notNull(),
  machine: text().notNull(),
  seenAt: instant('seen_at').notNull(),
});

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

/** Files that have started a run, by content: each counts once per pipeline, whatever it is called. */
export const takenFiles = pgTable(
  'taken_files',
  {
    pipeline: text().notNull(),
    digest: text().notNull(),
    name: text().notNull(),
    bytes: bigint({ mode: 'number' }).notNull(),
    takenAt: instant('taken_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.pipeline, table.digest] })],
);

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
