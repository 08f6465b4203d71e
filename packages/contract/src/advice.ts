import { z } from 'zod';
import { instantSchema, nameSchema } from './names.ts';

/** How a model can be served: computed when asked for (online), from a table computed before (offline), or both: the head from the table, the tail live. */
export const servingWaySchema = z.enum(['dynamic', 'static', 'hybrid']);
export type ServingWay = z.infer<typeof servingWaySchema>;

const shareSchema = z.number().min(0).max(1);

const latencySchema = z.strictObject({
  predictions: z.int(),
  p50: z.number(),
  p99: z.number(),
  mean: z.number(),
});

/** How the keys that were asked for are spread. */
export const keyTrafficSchema = z.strictObject({
  /** Cardinality: how many different keys were asked for. */
  distinct: z.int(),
  /** Predictions that came with a key. */
  predictions: z.int(),
  /**
   * Peakedness: the Shannon entropy of the keys' shares over its greatest value, the logarithm of their number. 1: all are asked for equally often; towards 0: nearly
   * everything is about few of them. Null for a single key.
   */
  normalizedEntropy: shareSchema.nullable(),
  /** Share of the predictions that is about the most asked-for one in a hundred keys (rounded up). */
  topPercentShare: shareSchema,
  /**
   * The s of share ∝ rank^-s, by the regression of log(rank - 1/2) on log(count) over the keys with ten predictions and more (Gabaix and Ibragimov 2011); null where these are
   * fewer than ten, or are all asked for equally often.
   */
  zipfExponent: z.number().nullable(),
  /** Keys a day that had not been asked for earlier in the window, its first day left out; null where there is one day only. */
  newPerDay: z.number().nullable(),
  /** Share of the predictions that was about such a key on its first day. */
  newShare: shareSchema.nullable(),
  /** Share of the predictions that the k most asked-for keys have together. */
  curve: z.array(z.strictObject({ keys: z.int(), share: shareSchema })),
});
export type KeyTraffic = z.infer<typeof keyTrafficSchema>;

/** What a prediction takes, from the newest ones on record. */
export const predictionCostsSchema = z.strictObject({
  /** Predictions that were looked at. */
  sample: z.int(),
  /** Microseconds by mode; null where there is none of that mode among them. */
  latency: z.strictObject({ live: latencySchema.nullable(), precomputed: latencySchema.nullable() }),
  /** Time of a request over its rows, in microseconds, of live ones: an upper limit of what a row takes, as waiting is part of it. */
  microsecondsPerRow: z.number().nullable(),
  /** What a row of the table would take on the disk, in bytes: key, output, features, and its part of the index. */
  bytesPerKey: z.number().nullable(),
  /** Of the keys that come more than once, the share that came with other features than before; null where none does. */
  changingFeatures: shareSchema.nullable(),
});
export type PredictionCosts = z.infer<typeof predictionCostsSchema>;

/** One way to serve, for what was asked in the window. */
export const servingOptionSchema = z.strictObject({
  way: servingWaySchema,
  /** Keys in the table. */
  keys: z.int(),
  /** Share of the predictions that the table answers. */
  fromTable: shareSchema,
  /** Share that has no answer: of keys that were not there when the table was computed. */
  unanswered: shareSchema,
  /** Processor time, with the table computed once a day; null where the log does not tell. */
  secondsPerDay: z.number().nullable(),
  storageBytes: z.number().nullable(),
  /** Mean; null where the log has no lookup to measure. */
  latencyMicroseconds: z.number().nullable(),
});
export type ServingOption = z.infer<typeof servingOptionSchema>;

/** What the prediction log says of how a model should be served. */
export const adviceSchema = z.strictObject({
  model: nameSchema,
  from: instantSchema,
  to: instantSchema,
  /** Predictions that somebody asked for and waited for: live, cached or precomputed. */
  predictions: z.int(),
  predictionsPerDay: z.number(),
  /** Those without a key, of which nothing can be computed before. */
  keyless: z.int(),
  keys: keyTrafficSchema.nullable(),
  costs: predictionCostsSchema,
  options: z.array(servingOptionSchema),
  /** Null where the log does not tell. */
  recommendation: servingWaySchema.nullable(),
  reasons: z.array(z.string()),
});
export type Advice = z.infer<typeof adviceSchema>;
