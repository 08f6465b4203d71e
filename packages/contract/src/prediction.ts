import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema } from './names.ts';

/** A value of a raw column as it crosses the wire. A timestamp is ISO 8601 text or milliseconds since 1970. Null means missing. */
export const featureValueSchema = z.union([z.number(), z.string(), z.boolean(), z.null()]);
export type FeatureValue = z.infer<typeof featureValueSchema>;
export type Instance = Record<string, FeatureValue>;

/** Most instances one request may hold; a batch job takes more. */
export const MAX_INSTANCES = 50_000;

export const predictRequestSchema = z.strictObject({
  /**
   * One object per row: every input column by name. Values are checked against the version's signature, not here. A row that is null, and every row where
   * there are no instances, is asked for by its key alone.
   */
  instances: z
    .array(
      z.unknown().meta({
        type: ['object', 'null'],
        additionalProperties: { type: ['number', 'string', 'boolean', 'null'] },
      }),
    )
    .min(1)
    .max(MAX_INSTANCES)
    .optional(),
  /** The entity each row is about, for joining ground truth later; as many as there are instances. */
  keys: z.array(z.string().min(1).max(256)).max(MAX_INSTANCES).optional(),
});
export type PredictRequest = z.infer<typeof predictRequestSchema>;

/** What a model answers for one instance, by label kind. */
export const predictionOutputSchema = z.union([
  z.strictObject({ probability: z.number(), decision: z.boolean() }),
  z.strictObject({ probabilities: z.record(z.string(), z.number()), decision: z.string() }),
  z.strictObject({ value: z.number() }),
]);
export type PredictionOutput = z.infer<typeof predictionOutputSchema>;

export const predictionModeSchema = z.enum(['live', 'cached', 'precomputed', 'batch', 'async']);
export type PredictionMode = z.infer<typeof predictionModeSchema>;

export const predictResponseSchema = z.strictObject({
  model: nameSchema,
  version: z.int(),
  predictions: z.array(
    z.strictObject({
      id: idSchema('prediction'),
      output: predictionOutputSchema,
      mode: predictionModeSchema,
      /** The version that answered this row, where it is another than the response's. */
      version: z.int().optional(),
      /** Whole seconds since the answer was computed, where that was before it was asked for. */
      ageSeconds: z.int().nonnegative().optional(),
      /** When the entity's row happened, where the features are its last known ones and came with no request. */
      featuresAt: instantSchema.optional(),
    }),
  ),
});
export type PredictResponse = z.infer<typeof predictResponseSchema>;

/** One logged answer, as the journal and the database hold it; `id` is the plain UUID there and prefixed at the edge. */
export const predictionSchema = z.strictObject({
  id: idSchema('prediction'),
  model: nameSchema,
  version: z.int(),
  endpoint: nameSchema,
  key: z.string().nullable(),
  features: z.record(z.string(), featureValueSchema),
  output: predictionOutputSchema,
  mode: predictionModeSchema,
  /** Time the answer took, in microseconds. */
  latencyMicroseconds: z.int(),
  at: instantSchema,
});
export type Prediction = z.infer<typeof predictionSchema>;
