import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema } from './names.ts';
import { predictResponseSchema } from './prediction.ts';
import { failureSchema } from './run.ts';

/** `queued → running → completed`, or `failed`; after its time `expired`, and its result is gone. */
export const asyncPredictionStateSchema = z.enum(['queued', 'running', 'completed', 'failed', 'expired']);
export type AsyncPredictionState = z.infer<typeof asyncPredictionStateSchema>;

/** A prediction that is answered later: asked for once, executed at least once, with one result. */
export const asyncPredictionSchema = z.strictObject({
  id: idSchema('asyncPrediction'),
  model: nameSchema,
  state: asyncPredictionStateSchema,
  /** As the same request would have been answered at once. */
  response: predictResponseSchema.nullable(),
  error: failureSchema.nullable(),
  requestedBy: z.string(),
  createdAt: instantSchema,
  endedAt: instantSchema.nullable(),
  /** When the result is removed. */
  expiresAt: instantSchema,
});
export type AsyncPrediction = z.infer<typeof asyncPredictionSchema>;
