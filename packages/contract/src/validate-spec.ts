import { z } from 'zod';
import { columnNameSchema, digestSchema, nameSchema } from './names.ts';
import { measureSchema, metricSchema } from './metric.ts';

// --- The gate -----------------------------------------------------------------------------------------------------------------

/** Non-inferiority: the candidate may be worse than the champion by less than `margin`, shown at `confidence` (one-sided). */
export const notWorseSchema = z.strictObject({
  kind: z.literal('notWorse'),
  metric: metricSchema,
  margin: z.number().nonnegative(),
  confidence: z.number().gt(0.5).lt(1),
  replicates: z.int().min(100).max(100_000),
  /** What is resampled as one: all rows of an entity (the pipeline's key), or all rows of a day (UTC). Absent: each row by itself. */
  cluster: z.enum(['entity', 'day']).optional(),
});
export type NotWorseSpec = z.infer<typeof notWorseSchema>;

/** A floor or a ceiling that holds whatever the champion does. */
export const limitSchema = z.strictObject({
  kind: z.enum(['atLeast', 'atMost']),
  measure: measureSchema,
  value: z.number(),
});
export type LimitSpec = z.infer<typeof limitSchema>;

export const gateSpecSchema = z.strictObject({
  /** The first is the primary one. A candidate passes when it is shown to be not worse by every one of them, jointly at the confidence (Holm). */
  comparisons: z.array(notWorseSchema).min(1).max(8),
  limits: z.array(limitSchema).max(32),
  /** What becomes of a candidate that the rows can tell nothing about. */
  inconclusive: z.enum(['hold', 'release']),
});
export type GateSpec = z.infer<typeof gateSpecSchema>;

// --- What else a candidate is examined for ------------------------------------------------------------------------------------

/** The parts of the rows that are looked at by themselves. */
export const slicesSpecSchema = z.strictObject({
  columns: z.array(columnNameSchema).max(16),
  /** Pairs of the columns' values too. */
  pairs: z.boolean(),
  /** A slice of fewer rows is counted, and not judged. */
  minRows: z.int().min(50),
  /** How much worse a slice may be; absent: the primary comparison's margin. */
  margin: z.number().nonnegative().optional(),
});
export type SlicesSpec = z.infer<typeof slicesSpecSchema>;

/** A fixed dataset version whose test split every candidate must pass too. */
export const goldenSetSchema = z.strictObject({
  name: nameSchema,
  dataset: digestSchema,
  /** By the primary comparison's metric; absent: its margin. */
  margin: z.number().nonnegative().optional(),
  limits: z.array(limitSchema.extend({ measure: metricSchema })).max(8),
});
export type GoldenSetSpec = z.infer<typeof goldenSetSchema>;

/** What the author knows of how the answer must behave when one input is changed and all else stays. */
export const behaviourSchema = z.discriminatedUnion('kind', [
  /** Another value of the column does not move the answer by more than `tolerance`. */
  z.strictObject({
    kind: z.literal('invariant'),
    column: columnNameSchema,
    tolerance: z.number().nonnegative(),
    /** Share of rows that may break it. */
    allow: z.number().min(0).max(1),
  }),
  /** More of the column never lowers (`increasing`) or never raises (`decreasing`) the answer. */
  z.strictObject({
    kind: z.enum(['increasing', 'decreasing']),
    column: columnNameSchema,
    /** By how much the column is raised, in its units; absent: half a standard deviation of the test rows. */
    by: z.number().positive().optional(),
    tolerance: z.number().nonnegative(),
    allow: z.number().min(0).max(1),
  }),
]);
export type BehaviourSpec = z.infer<typeof behaviourSchema>;

// --- Named checks -------------------------------------------------------------------------------------------------------------

/**
 * Every check beside the comparisons, with what it says when it holds and what a failure does where the author says nothing: `fail` stops the
 * candidate, `report` stands in the report and on the card.
 */
export const CHECKS = {
  limit: { title: 'Absolute floors and ceilings', severity: 'fail' },
  slices: { title: 'No slice is clearly worse', severity: 'fail' },
  'golden-set': { title: 'Golden sets', severity: 'fail' },
  'constant-answers': { title: 'Answers differ between rows', severity: 'fail' },
  'better-than-constant': { title: 'Better than a constant', severity: 'fail' },
  'better-than-linear': { title: 'Better than a linear model', severity: 'report' },
  'label-leak': { title: 'No feature gives the label away', severity: 'fail' },
  'unit-change': { title: 'No feature changed its unit', severity: 'fail' },
  'dropped-category': { title: 'No frequent category vanished', severity: 'fail' },
  'feature-shift': { title: 'Features are distributed as for the champion', severity: 'report' },
  'missing-values': { title: 'Missing values are answered', severity: 'fail' },
  'unknown-categories': { title: 'Unknown categories are answered', severity: 'fail' },
  'extreme-numbers': { title: 'Extreme numbers are answered', severity: 'fail' },
  behaviour: { title: 'Behaves as the author expects', severity: 'fail' },
  calibration: { title: 'Probabilities are calibrated', severity: 'report' },
  'served-answers': { title: 'Served answers are the evaluated ones', severity: 'fail' },
  'served-latency': { title: 'Answers as fast as the champion', severity: 'fail' },
} as const satisfies Record<string, { title: string; severity: 'fail' | 'report' }>;
export type CheckName = keyof typeof CHECKS;
export const checkNameSchema = z.enum(Object.keys(CHECKS) as [CheckName, ...CheckName[]]);

export const severitySchema = z.enum(['fail', 'report', 'off']);
export type Severity = z.infer<typeof severitySchema>;

export const validateSpecSchema = z.strictObject({
  gate: gateSpecSchema,
  slices: slicesSpecSchema,
  goldenSets: z.array(goldenSetSchema).max(16),
  behaviour: z.array(behaviourSchema).max(64),
  /** Where a check is to count for more or less than it does by itself. */
  checks: z.partialRecord(checkNameSchema, severitySchema),
  /** How many candidates one set of test rows may be asked about before it is worn out. */
  testSet: z.strictObject({ comparisons: z.int().min(1).max(1_000) }),
});
export type ValidateSpec = z.infer<typeof validateSpecSchema>;
