import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema, textSchema } from './names.ts';
import { predictionOutputSchema } from './prediction.ts';
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

export const precomputationRequestSchema = z.strictObject({
  /** A condition in SQL over the columns that the model reads, and `key`: `country = 'NL' and key like 'c%'`. Absent: every entity that is known. */
  keys: textSchema({ min: 1, max: 10_000 }).optional(),
});
export type PrecomputationRequest = z.infer<typeof precomputationRequestSchema>;

/** Most keys that one request may look up. */
export const MAX_LOOKUPS = 1_000;

/** What names an entity. */
export const entityKeySchema = textSchema({ min: 1, max: 256 });

/** An answer that was computed before it was asked for. */
export const lookupSchema = z.strictObject({
  id: idSchema('prediction'),
  model: nameSchema,
  key: z.string(),
  /** The version that computed it. */
  version: z.int().positive(),
  output: predictionOutputSchema,
  mode: z.literal('precomputed'),
  /** Whole seconds since it was computed. */
  ageSeconds: z.int().nonnegative(),
  computedAt: instantSchema,
  /** When the entity's row happened that it was computed from. */
  featuresAt: instantSchema,
});
export type Lookup = z.infer<typeof lookupSchema>;

export const lookupsRequestSchema = z.strictObject({
  keys: z.array(entityKeySchema).min(1).max(MAX_LOOKUPS),
});
export type LookupsRequest = z.infer<typeof lookupsRequestSchema>;

/** Answers of one table, in the order of the keys: never of two versions. */
export const lookupsResponseSchema = z.strictObject({
  model: nameSchema,
  version: z.int().positive(),
  predictions: z.array(lookupSchema),
  /** Keys without an answer, or with one that is older than the pipeline lets be given. */
  missing: z.array(z.string()),
});
export type LookupsResponse = z.infer<typeof lookupsResponseSchema>;
