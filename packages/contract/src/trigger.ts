import { z } from 'zod';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import { idSchema } from './ids.ts';

/** Why a run started. */
export const triggerKindSchema = z.enum([
  'schedule',
  'file',
  'request',
  'stream',
  'staleness',
  'backfill',
  'replay',
]);
export type TriggerKind = z.infer<typeof triggerKindSchema>;

export const triggerSchema = z.strictObject({ kind: triggerKindSchema, by: z.string().max(200) });
export type Trigger = z.infer<typeof triggerSchema>;

/** What exactly raised a trigger. */
export const triggerCauseSchema = z.strictObject({
  /** The due time, of a schedule. */
  due: instantSchema.optional(),
  /** The files that have come. */
  files: z.array(z.strictObject({ name: z.string(), bytes: z.int(), digest: digestSchema })).optional(),
  stream: z.strictObject({ stream: nameSchema, events: z.int() }).optional(),
  /** In words, what has grown stale. */
  staleness: z.string().max(1_000).optional(),
  backfill: idSchema('backfill').optional(),
});
export type TriggerCause = z.infer<typeof triggerCauseSchema>;

/**
 * What became of a trigger: `ran` has a run of its own, `merged` found one waiting that will do for it too, `skipped` has none, for the reason that
 * is given.
 */
export const triggerOutcomeSchema = z.enum(['ran', 'merged', 'skipped']);
export type TriggerOutcome = z.infer<typeof triggerOutcomeSchema>;

/** A trigger on record: it answers why a run started, and why none did. */
export const triggerRecordSchema = z.strictObject({
  id: idSchema('trigger'),
  pipeline: nameSchema,
  kind: triggerKindSchema,
  by: z.string(),
  cause: triggerCauseSchema,
  at: instantSchema,
  outcome: triggerOutcomeSchema,
  /** In a sentence. */
  reason: z.string(),
  run: idSchema('run').nullable(),
});
export type TriggerRecord = z.infer<typeof triggerRecordSchema>;
