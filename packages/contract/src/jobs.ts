import { z } from 'zod';
import { idSchema } from './ids.ts';
import { daySchema, nameSchema } from './names.ts';
import { traceparentSchema } from './trace-context.ts';

/** Kinds of queued work and what each carries. A stage that wants a later stage's work enqueues one of these. */
export const JOB_PAYLOADS = {
  /** Executes a run from its first unfinished step on. */
  'run.execute': z.strictObject({ run: idSchema('run') }),
  /** Starts a backfill's next run, or ends the backfill. */
  'backfill.advance': z.strictObject({ backfill: idSchema('backfill') }),
  /** A model has grown stale: raises a trigger of its pipeline. */
  'pipeline.stale': z.strictObject({ pipeline: nameSchema, reason: z.string().max(1_000) }),
  /** Brings one event to one webhook, or tries again later. */
  'webhook.deliver': z.strictObject({
    delivery: idSchema('delivery'),
    /** Attempts made before the last replay, which do not count towards giving up. Absent: none. */
    priorAttempts: z.int().positive().optional(),
    traceparent: traceparentSchema.optional(),
  }),
  /** Makes a version again and says whether it came out the same. */
  'reproduction.execute': z.strictObject({ reproduction: idSchema('reproduction') }),
  /** Brings a run's OpenLineage event to the configured address. */
  'lineage.emit': z.strictObject({
    run: idSchema('run'),
    event: z.enum(['START', 'COMPLETE', 'FAIL', 'ABORT']),
  }),
  /** Removes what the retention policy lets go. */
  'retention.apply': z.strictObject({ day: daySchema }),
  /** Splits the population of a precomputation into chunks and queues each. */
  'precomputation.start': z.strictObject({ precomputation: idSchema('precomputation') }),
  /** Scores one chunk of a precomputation; the last one done makes it the one that answers. */
  'precomputation.chunk': z.strictObject({
    precomputation: idSchema('precomputation'),
    chunk: z.int().min(0),
  }),
  /** Reads a batch's input and queues its chunks. */
  'batch.start': z.strictObject({ batch: idSchema('batch') }),
  /** Scores one chunk of a batch. */
  'batch.chunk': z.strictObject({ batch: idSchema('batch'), chunk: z.int().min(0) }),
  /** Puts a batch's chunks together into its one output. */
  'batch.finish': z.strictObject({ batch: idSchema('batch') }),
  /** Answers a prediction that somebody will come back for. */
  'prediction.execute': z.strictObject({
    prediction: idSchema('asyncPrediction'),
    traceparent: traceparentSchema.optional(),
  }),
} as const;
export type JobKind = keyof typeof JOB_PAYLOADS;
export type JobPayload<Kind extends JobKind> = z.infer<(typeof JOB_PAYLOADS)[Kind]>;

/** The queue each kind of job waits in, so that workers can be given to kinds of work. */
export const JOB_QUEUES: Record<JobKind, string> = {
  'run.execute': 'training',
  'backfill.advance': 'control',
  'pipeline.stale': 'control',
  'webhook.deliver': 'control',
  'reproduction.execute': 'training',
  'lineage.emit': 'control',
  'retention.apply': 'control',
  'precomputation.start': 'batch',
  'precomputation.chunk': 'batch',
  'batch.start': 'batch',
  'batch.chunk': 'batch',
  'batch.finish': 'batch',
  'prediction.execute': 'predictions',
};
