import { z } from 'zod';
import { signatureSchema } from './encoding.ts';
import { columnSummarySchema } from './dataset.ts';
import { baselineSchema, evaluationSchema, importanceSchema, metricValuesSchema } from './evaluation.ts';
import { gateReportSchema, verdictSchema } from './gate-report.ts';
import { lineageSchema } from './lineage.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import { featureSpecSchema, labelSpecSchema, trainSpecSchema } from './pipeline-spec.ts';
import { trainingResultSchema } from './training.ts';

/** What a version is, what it was trained on, how good it is, and where it should not be used. */
export const modelCardSchema = z.strictObject({
  /** Version of this format. */
  format: z.literal(2),
  model: nameSchema,
  version: z.int().positive(),
  createdAt: instantSchema,
  overview: z.strictObject({
    description: z.string(),
    owners: z.array(z.string()),
    intendedUse: z.string(),
    limitations: z.array(z.string()),
  }),
  signature: signatureSchema,
  features: z.record(z.string(), featureSpecSchema),
  label: labelSpecSchema,
  data: z.strictObject({
    dataset: digestSchema,
    asOf: instantSchema,
    rows: z.strictObject({ train: z.int(), validation: z.int(), test: z.int() }),
    quarantined: z.int(),
    from: instantSchema,
    to: instantSchema,
    /** The columns that features are made from, over the training rows. */
    columns: z.array(columnSummarySchema),
  }),
  training: trainingResultSchema.extend({ spec: trainSpecSchema }),
  evaluation: evaluationSchema,
  championEvaluation: evaluationSchema.nullable(),
  baselines: z.array(baselineSchema),
  /** Most important first. */
  importance: z.array(importanceSchema),
  gate: gateReportSchema,
  lineage: lineageSchema,
  /** The versions before this one, newest first, at most 20. */
  history: z.array(
    z.strictObject({
      version: z.int().positive(),
      createdAt: instantSchema,
      verdict: verdictSchema,
      metrics: metricValuesSchema,
    }),
  ),
});
export type ModelCard = z.infer<typeof modelCardSchema>;
