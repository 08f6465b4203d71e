import { z } from 'zod';
import { daySchema, instantSchema, nameSchema } from './names.ts';
import { metricValuesSchema } from './evaluation.ts';

/** How a model did on one day (UTC, by the time of the prediction). */
export const monitoringDaySchema = z.strictObject({
  day: daySchema,
  predictions: z.int(),
  labelled: z.int(),
  /** Versions that answered that day, with how many predictions each. */
  versions: z.array(z.strictObject({ version: z.int(), predictions: z.int() })),
  /** Of labelled predictions. */
  metrics: metricValuesSchema,
  meanPrediction: z.number().nullable(),
  meanLabel: z.number().nullable(),
  /** Mean prediction minus mean label, over labelled predictions. */
  bias: z.number().nullable(),
});
export type MonitoringDay = z.infer<typeof monitoringDaySchema>;

/** How far the champion has fallen behind. */
export const stalenessSchema = z.strictObject({
  model: nameSchema,
  version: z.int(),
  dataAsOf: instantSchema,
  /** Days since the newest row the champion's dataset could hold. */
  days: z.number(),
});
export type Staleness = z.infer<typeof stalenessSchema>;

export const monitoringReportSchema = z.strictObject({
  model: nameSchema,
  staleness: stalenessSchema.nullable(),
  days: z.array(monitoringDaySchema),
});
export type MonitoringReport = z.infer<typeof monitoringReportSchema>;
