import { z } from 'zod';
import { splitNameSchema } from './dataset.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import { gateSpecSchema, metricSchema } from './pipeline-spec.ts';

/** A two-sided interval at a confidence in (0, 1). */
export const intervalSchema = z.strictObject({ low: z.number(), high: z.number(), confidence: z.number() });
export type Interval = z.infer<typeof intervalSchema>;

/** Metric values by name; null where the rows do not allow it (AUC of one class). */
export const metricValuesSchema = z.partialRecord(metricSchema, z.number().nullable());
export type MetricValues = z.infer<typeof metricValuesSchema>;

export const sliceEvaluationSchema = z.strictObject({
  column: z.string(),
  value: z.string(),
  rows: z.int().nonnegative(),
  metrics: metricValuesSchema,
});
export type SliceEvaluation = z.infer<typeof sliceEvaluationSchema>;

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
});
export type Evaluation = z.infer<typeof evaluationSchema>;

export const verdictSchema = z.enum(['pass', 'fail', 'inconclusive', 'no-baseline']);
export type Verdict = z.infer<typeof verdictSchema>;

/** The gate's answer and everything it rests on. */
export const gateReportSchema = z.strictObject({
  gate: gateSpecSchema,
  verdict: verdictSchema,
  /** In a sentence, for the person who reads it. */
  explanation: z.string(),
  dataset: digestSchema,
  rows: z.int().nonnegative(),
  candidate: z.strictObject({ artifact: digestSchema, value: z.number().nullable() }),
  champion: z
    .strictObject({
      model: nameSchema,
      version: z.int(),
      artifact: digestSchema,
      value: z.number().nullable(),
    })
    .nullable(),
  /** Candidate minus champion, oriented so that more is better, with its interval. */
  difference: z.strictObject({ value: z.number(), interval: intervalSchema }).nullable(),
});
export type GateReport = z.infer<typeof gateReportSchema>;

/** An evaluation on record. */
export const storedEvaluationSchema = evaluationSchema.extend({
  model: nameSchema,
  version: z.int(),
  createdAt: instantSchema,
});
export type StoredEvaluation = z.infer<typeof storedEvaluationSchema>;
