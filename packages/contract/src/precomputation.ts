import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema, textSchema } from './names.ts';
import { failureSchema } from './run.ts';

/** `queued → running → live → superseded`; `failed` and `cancelled` leave the table that answers as it is. */
export const precomputationStateSchema = z.enum([
  'queued',
  'running',
  'live',
  'superseded',
  'failed',
  'cancelled',
]);
export type PrecomputationState = z.infer<typeof precomputationStateSchema>;

/** One scoring of a population with one version: all of it answers, or none. */
export const precomputationSchema = z.strictObject({
  id: idSchema('precomputation'),
  model: nameSchema,
  version: z.int().positive(),
  state: precomputationStateSchema,
  /** A condition in SQL over the columns of the entities' rows, and `key`; null: all entities. */
  keys: textSchema({ max: 10_000 }).nullable(),
  cause: z.enum(['request', 'promotion']),
  /** Entities to score; null before they are counted. */
  rows: z.int().nullable(),
  done: z.int(),
  /** Entities whose rows the model's signature refuses, which get no answer. */
  refused: z.int(),
  requestedBy: z.string(),
  createdAt: instantSchema,
  startedAt: instantSchema.nullable(),
  endedAt: instantSchema.nullable(),
  error: failureSchema.nullable(),
});
export type Precomputation = z.infer<typeof precomputationSchema>;
