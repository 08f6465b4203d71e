import { z } from 'zod';
import { verdictSchema } from './gate-report.ts';
import { idSchema } from './ids.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import type { Transitions } from './state-machine.ts';
import { triggerSchema } from './trigger.ts';

export const STEP_NAMES = ['data', 'training', 'validation', 'registration'] as const;
export const stepNameSchema = z.enum(STEP_NAMES);
export type StepName = z.infer<typeof stepNameSchema>;

export const runStateSchema = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']);
export type RunState = z.infer<typeof runStateSchema>;

export type RunTransition = 'start' | 'succeed' | 'fail' | 'cancel';

/** A run that a worker's death interrupted stays `running` and is taken up again; `start` is therefore no transition of `running`. */
export const RUN_TRANSITIONS: Transitions<RunState, RunTransition> = {
  queued: { start: 'running', cancel: 'cancelled', fail: 'failed' },
  running: { succeed: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  succeeded: {},
  failed: {},
  cancelled: {},
};

export const stepStateSchema = z.enum(['running', 'succeeded', 'reused', 'failed']);
export type StepState = z.infer<typeof stepStateSchema>;

export const failureSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Failure = z.infer<typeof failureSchema>;

/**
 * The facts a run is made of, in order. The run's row and its steps' rows are projections of these, written in the same transaction.
 */
export const runEventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('created'),
    trigger: triggerSchema,
    asOf: instantSchema,
    force: z.boolean(),
  }),
  z.strictObject({ type: z.literal('started'), worker: z.string() }),
  z.strictObject({
    type: z.literal('step-started'),
    step: stepNameSchema,
    attempt: z.int(),
    inputDigest: digestSchema,
  }),
  z.strictObject({
    type: z.literal('step-succeeded'),
    step: stepNameSchema,
    /** Whether an earlier run's output stood for the work, its inputs being the same. */
    reused: z.boolean(),
    output: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({
    type: z.literal('step-failed'),
    step: stepNameSchema,
    attempt: z.int(),
    error: failureSchema,
  }),
  z.strictObject({
    type: z.literal('succeeded'),
    model: nameSchema,
    version: z.int(),
    verdict: verdictSchema,
    live: z.boolean(),
  }),
  z.strictObject({ type: z.literal('failed'), error: failureSchema }),
  z.strictObject({ type: z.literal('cancelled'), by: z.string() }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;

export const storedRunEventSchema = z.strictObject({
  sequence: z.int(),
  at: instantSchema,
  event: runEventSchema,
});
export type StoredRunEvent = z.infer<typeof storedRunEventSchema>;

export const stepSchema = z.strictObject({
  name: stepNameSchema,
  state: stepStateSchema,
  attempt: z.int(),
  startedAt: instantSchema,
  endedAt: instantSchema.nullable(),
  output: z.record(z.string(), z.unknown()).nullable(),
  error: failureSchema.nullable(),
});
export type Step = z.infer<typeof stepSchema>;

export const runSchema = z.strictObject({
  id: idSchema('run'),
  pipeline: nameSchema,
  state: runStateSchema,
  trigger: triggerSchema,
  /** The instant the run looks at the world from: no row of that time or later is read. */
  asOf: instantSchema,
  createdAt: instantSchema,
  startedAt: instantSchema.nullable(),
  endedAt: instantSchema.nullable(),
  dataset: digestSchema.nullable(),
  version: z.int().nullable(),
  verdict: verdictSchema.nullable(),
  error: failureSchema.nullable(),
  steps: z.array(stepSchema),
});
export type Run = z.infer<typeof runSchema>;
