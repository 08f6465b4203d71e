import { z } from 'zod';
import { splitNameSchema } from './dataset.ts';
import { metricSchema } from './metric.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';

/** A two-sided interval at a confidence in (0, 1). */
export const intervalSchema = z.strictObject({ low: z.number(), high: z.number(), confidence: z.number() });
export type Interval = z.infer<typeof intervalSchema>;

/** Metric values by name; null where the rows do not allow it (AUC of one class). */
export const metricValuesSchema = z.partialRecord(metricSchema, z.number().nullable());
export type MetricValues = z.infer<typeof metricValuesSchema>;

/** The rows whose columns have these values: one column, or two of a pair. */
export const sliceSchema = z.record(z.string(), z.string());
export type Slice = z.infer<typeof sliceSchema>;

export const sliceEvaluationSchema = z.strictObject({
  slice: sliceSchema,
  rows: z.int().nonnegative(),
  metrics: metricValuesSchema,
});
export type SliceEvaluation = z.infer<typeof sliceEvaluationSchema>;

const share = z.number().min(0).max(1);
/** Points of a curve by rising x, at most 200 of them. */
const curve = z.array(z.tuple([z.number(), z.number()])).max(200);

/** How far probabilities may be taken at their word. For multiclass labels it is about the most probable class. */
export const calibrationReportSchema = z.strictObject({
  /** Expected calibration error: mean distance of probability and share over the bins, weighed by rows. */
  error: share,
  /** The reliability curve: bins of equally many rows, by rising probability. */
  bins: z.array(
    z.strictObject({
      rows: z.int().positive(),
      meanProbability: share,
      /** Share of the rows whose label is true, with its interval (Wilson). */
      share: share,
      interval: intervalSchema,
    }),
  ),
});
export type CalibrationReport = z.infer<typeof calibrationReportSchema>;

export const curvesSchema = z.strictObject({
  /** False positive rate against true positive rate. */
  roc: curve,
  /** Recall against precision. */
  precisionRecall: curve,
  averagePrecision: share,
});
export type Curves = z.infer<typeof curvesSchema>;

/** Rows by true class (outer) and decided class (inner), in the order of `classes`. */
export const confusionSchema = z.strictObject({
  classes: z.array(z.string()),
  counts: z.array(z.array(z.int().nonnegative())),
});
export type Confusion = z.infer<typeof confusionSchema>;

/** Metrics of one artifact on one split of one dataset version. */
export const evaluationSchema = z.strictObject({
  artifact: digestSchema,
  dataset: digestSchema,
  split: splitNameSchema,
  rows: z.int().nonnegative(),
  metrics: metricValuesSchema,
  /** Bootstrap intervals of the metrics that have one. */
  intervals: z.partialRecord(metricSchema, intervalSchema),
  slices: z.array(sliceEvaluationSchema),
  /** Mean prediction and mean label, where the label has a mean. */
  meanPrediction: z.number().nullable(),
  meanLabel: z.number().nullable(),
  /** Of probabilities. */
  calibration: calibrationReportSchema.nullable(),
  /** Of a binary label with rows of both classes. */
  curves: curvesSchema.nullable(),
  /** Of binary and multiclass labels, of at most 50 classes. */
  confusion: confusionSchema.nullable(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

/** A model that is scored beside every candidate, so that a network that learnt nothing is seen. */
export const baselineSchema = z.strictObject({
  /** The training rows' mean or shares of classes; and a logistic or linear regression on the same encoded features. */
  name: z.enum(['constant', 'linear']),
  metrics: metricValuesSchema,
});
export type Baseline = z.infer<typeof baselineSchema>;

/** How much worse the primary metric grows when one feature's columns are shuffled among the rows (permutation importance). */
export const importanceSchema = z.strictObject({
  feature: z.string(),
  /** Oriented so that more is more important. */
  value: z.number(),
  interval: intervalSchema,
});
export type Importance = z.infer<typeof importanceSchema>;

/** An evaluation on record. */
export const storedEvaluationSchema = evaluationSchema.extend({
  model: nameSchema,
  version: z.int(),
  createdAt: instantSchema,
});
export type StoredEvaluation = z.infer<typeof storedEvaluationSchema>;
