import { z } from 'zod';
import { durationSchema } from './durations.ts';
import { instantSchema, nameSchema, textSchema } from './names.ts';

export const RETENTION_KINDS = ['predictions', 'datasets', 'artifacts', 'runs'] as const;
export const retentionKindSchema = z.enum(RETENTION_KINDS);
export type RetentionKind = z.infer<typeof retentionKindSchema>;

/**
 * How long one kind is kept. What is older than `maxAge` and, where `keepLast` is given, not among so many newest (per pipeline or model) goes; with neither, nothing goes. What a
 * live, pending or otherwise referenced version needs stays, whatever this says.
 */
export const retentionRuleSchema = z.strictObject({
  maxAge: durationSchema.nullable(),
  keepLast: z.int().min(1).max(1_000_000).nullable(),
});
export type RetentionRule = z.infer<typeof retentionRuleSchema>;

export const retentionPolicySchema = z.strictObject({
  predictions: retentionRuleSchema,
  datasets: retentionRuleSchema,
  artifacts: retentionRuleSchema,
  runs: retentionRuleSchema,
});
export type RetentionPolicy = z.infer<typeof retentionPolicySchema>;

/** What one kind would lose, or has lost. */
export const retentionPartSchema = z.strictObject({
  kind: retentionKindSchema,
  /** Prediction partitions (days), dataset versions, artifacts, runs. */
  items: z.int().nonnegative(),
  rows: z.int().nonnegative().nullable(),
  bytes: z.int().nonnegative(),
  /** The first hundred by name: a day, a digest, an id. */
  names: z.array(z.string()).max(100),
  /** Old enough to go, and kept for a reason: `champion of flight-delay`. The first hundred. */
  kept: z.array(z.strictObject({ name: z.string(), reason: z.string() })).max(100),
});
export type RetentionPart = z.infer<typeof retentionPartSchema>;

export const retentionReportSchema = z.strictObject({
  at: instantSchema,
  /** Whether this is only what would be done. */
  dryRun: z.boolean(),
  parts: z.array(retentionPartSchema),
});
export type RetentionReport = z.infer<typeof retentionReportSchema>;

/** Everything on record about one entity. */
export const personalDataSchema = z.strictObject({
  key: z.string(),
  predictions: z.array(z.record(z.string(), z.unknown())),
  groundTruth: z.array(z.record(z.string(), z.unknown())),
  /** The last known row of the entity, of each model that keeps it. */
  entityFeatures: z.array(z.record(z.string(), z.unknown())),
  /** Answers that were computed before anyone asked. */
  precomputedPredictions: z.array(z.record(z.string(), z.unknown())),
  /** Dataset versions with rows of the key, and how many. */
  datasets: z.array(z.strictObject({ dataset: z.string(), pipeline: nameSchema, rows: z.int() })),
  /** Whether there is more than the answer holds (10,000 predictions). */
  truncated: z.boolean(),
});
export type PersonalData = z.infer<typeof personalDataSchema>;

export const erasureRequestSchema = z.strictObject({
  key: textSchema({ min: 1, max: 256 }),
  reason: textSchema({ min: 1, max: 2_000 }),
  /** Also delete the dataset versions that hold rows of the key; versions trained on them stay and can no longer be reproduced. */
  datasets: z.boolean().default(false),
});
export type ErasureRequest = z.infer<typeof erasureRequestSchema>;

export const erasureSchema = z.strictObject({
  key: z.string(),
  predictions: z.int(),
  groundTruth: z.int(),
  entityFeatures: z.int(),
  precomputedPredictions: z.int(),
  datasets: z.array(z.string()),
  /** Dataset versions that still hold rows of the key. */
  remaining: z.array(z.string()),
});
export type Erasure = z.infer<typeof erasureSchema>;
