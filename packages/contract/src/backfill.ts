import { z } from 'zod';
import { idSchema } from './ids.ts';
import { daySchema, instantSchema, nameSchema } from './names.ts';

export const backfillStateSchema = z.enum(['running', 'finished', 'stopped']);
export type BackfillState = z.infer<typeof backfillStateSchema>;

/** One run a day over a stretch of days, in order; a day whose run fails stops it, and it can be resumed there. */
export const backfillSchema = z.strictObject({
  id: idSchema('backfill'),
  pipeline: nameSchema,
  /** First and last day, both included. */
  from: daySchema,
  to: daySchema,
  force: z.boolean(),
  state: backfillStateSchema,
  /** The day whose run is under way or comes next; null when all are through. */
  nextDay: daySchema.nullable(),
  /** Days whose runs have succeeded. */
  done: z.int(),
  reason: z.string().nullable(),
  by: z.string(),
  createdAt: instantSchema,
});
export type Backfill = z.infer<typeof backfillSchema>;
