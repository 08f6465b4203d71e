import { z } from 'zod';
import { intervalSchema, sliceSchema } from './evaluation.ts';
import { metricSchema } from './metric.ts';
import { digestSchema, nameSchema } from './names.ts';
import { checkNameSchema, gateSpecSchema, severitySchema } from './validate-spec.ts';

export const verdictSchema = z.enum(['pass', 'fail', 'inconclusive', 'no-baseline']);
export type Verdict = z.infer<typeof verdictSchema>;

/** Candidate minus champion, oriented so that more is better, with its interval. */
export const differenceSchema = z.strictObject({ value: z.number(), interval: intervalSchema });
export type Difference = z.infer<typeof differenceSchema>;

/** One of the gate's comparisons, answered. */
export const comparisonSchema = z.strictObject({
  metric: metricSchema,
  margin: z.number(),
  /** One-sided, after the test set's earlier comparisons took their part of the error that may be made. */
  confidence: z.number(),
  /** How the interval was made, in words: `paired bootstrap, BCa, 1,000 replicates of rows`. */
  method: z.string(),
  candidate: z.number().nullable(),
  champion: z.number().nullable(),
  difference: differenceSchema.nullable(),
  /** Of the hypothesis that the candidate is worse by the margin or more; adjusted by Holm over the gate's comparisons. */
  pValue: z.number().min(0).max(1).nullable(),
  verdict: verdictSchema,
  explanation: z.string(),
  /** About how many rows would settle it, should the difference stay as it is. */
  rowsToSettle: z.int().nullable(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** What one check found. A check that fails with severity `report` stops nothing. */
export const checkResultSchema = z.strictObject({
  name: checkNameSchema,
  /** What it is about, where a check is made of several things: the feature, the golden set, the measure. */
  subject: z.string().nullable(),
  severity: severitySchema.exclude(['off']),
  outcome: z.enum(['pass', 'fail', 'skipped']),
  explanation: z.string(),
  measured: z.number().nullable(),
  limit: z.number().nullable(),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

export const sliceComparisonSchema = z.strictObject({
  slice: sliceSchema,
  rows: z.int().nonnegative(),
  metric: metricSchema,
  candidate: z.number().nullable(),
  champion: z.number().nullable(),
  difference: differenceSchema.nullable(),
  /** Of the hypothesis that the candidate is worse by the margin at most; adjusted by Holm over all slices. */
  pValue: z.number().min(0).max(1).nullable(),
  clearlyWorse: z.boolean(),
});
export type SliceComparison = z.infer<typeof sliceComparisonSchema>;

/** How far one feature's training rows have moved from those of the champion. */
export const featureShiftSchema = z.strictObject({
  feature: z.string(),
  column: z.string(),
  /** Population stability index over the champion's deciles or categories; below 0.1 small, above 0.25 large. */
  index: z.number().nonnegative(),
  /** In words: `mean from 812 to 1,307`. */
  description: z.string(),
});
export type FeatureShift = z.infer<typeof featureShiftSchema>;

/** What a fresh serving process did with the artifact. */
export const servedReportSchema = z.strictObject({
  requests: z.int(),
  rows: z.int(),
  /** Largest distance between a served answer and the evaluated one. */
  maxDifference: z.number(),
  p50Milliseconds: z.number(),
  p99Milliseconds: z.number(),
  residentMegabytes: z.number(),
  /** The champion in a like process, asked in turns with the candidate. */
  champion: z.strictObject({ p50Milliseconds: z.number(), p99Milliseconds: z.number() }).nullable(),
});
export type ServedReport = z.infer<typeof servedReportSchema>;

/** The wear of the test rows: which comparison on them this is, and how many more they are good for. */
export const testSetWearSchema = z.strictObject({
  /** Digest of the test split. */
  split: digestSchema,
  /** 1 for the first candidate that these rows are asked about. */
  comparison: z.int().positive(),
  /** The part of the allowed error that this comparison may use. */
  error: z.number(),
  left: z.int().nonnegative(),
});
export type TestSetWear = z.infer<typeof testSetWearSchema>;

/** The gate's answer and everything it rests on. */
export const gateReportSchema = z.strictObject({
  gate: gateSpecSchema,
  verdict: verdictSchema,
  /** In a few sentences, for the person who reads it: what decided, and what would change it. */
  explanation: z.string(),
  dataset: digestSchema,
  /** Test rows that the verdict rests on. */
  rows: z.int().nonnegative(),
  /** Test rows left out because the candidate or the champion was trained on them. */
  seenRows: z.int().nonnegative(),
  candidate: z.strictObject({ artifact: digestSchema }),
  champion: z.strictObject({ model: nameSchema, version: z.int(), artifact: digestSchema }).nullable(),
  comparisons: z.array(comparisonSchema),
  checks: z.array(checkResultSchema),
  slices: z.strictObject({
    compared: z.int(),
    tooSmall: z.int(),
    /** The ten with the lowest difference. */
    worst: z.array(sliceComparisonSchema).max(10),
  }),
  /** Most moved first, at most ten. */
  shifts: z.array(featureShiftSchema).max(10),
  served: servedReportSchema.nullable(),
  testSet: testSetWearSchema.nullable(),
});
export type GateReport = z.infer<typeof gateReportSchema>;
