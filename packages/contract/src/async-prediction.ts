import { z } from 'zod';
import { idSchema } from './ids.ts';
import { durationMilliseconds, durationSchema } from './durations.ts';
import { instantSchema, nameSchema } from './names.ts';
import { predictResponseSchema } from './prediction.ts';
import { failureSchema } from './run.ts';

/** Longest that one request waits for a result; whoever wants to wait longer asks again. */
export const LONGEST_ASYNC_WAIT = '60s';

/** How long a request for a result may wait for it: `30s`. */
export const asyncWaitSchema = durationSchema.refine(
  (text) => durationMilliseconds(text) <= durationMilliseconds(LONGEST_ASYNC_WAIT),
  `must be at most ${LONGEST_ASYNC_WAIT}`,
);

/** `queued → running → completed`, or `failed`; after its time `expired`, and its result is gone. */
export const asyncPredictionStateSchema = z.enum(['queued', 'running', 'completed', 'failed', 'expired']);
export type AsyncPredictionState = z.infer<typeof asyncPredictionStateSchema>;

/** A prediction that is answered later: asked for once, executed at least once, with one result. */
export const asyncPredictionSchema = z.strictObject({
  id: idSchema('asyncPrediction'),
  model: nameSchema,
  state: asyncPredictionStateSchema,
  /** As the same request would have been answered at once, by the version that was the champion when it was worked on. */
  response: predictResponseSchema.nullable(),
  error: failureSchema.nullable(),
  requestedBy: z.string(),
  createdAt: instantSchema,
  endedAt: instantSchema.nullable(),
  /** When the result is removed, or the work given up. */
  expiresAt: instantSchema,
});
export type AsyncPrediction = z.infer<typeof asyncPredictionSchema>;
