import { z } from 'zod';
import { signatureSchema } from './encoding.ts';
import { evaluationSchema, gateReportSchema } from './evaluation.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import { featureSpecSchema, labelSpecSchema, trainSpecSchema } from './pipeline-spec.ts';
import { trainingResultSchema } from './training.ts';

/** What a version is, what it was trained on, how good it is, and where it should not be used. */
export const modelCardSchema = z.strictObject({
  /** Version of this format. */
  format: z.literal(1),
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
  }),
  training: trainingResultSchema.extend({ spec: trainSpecSchema }),
  evaluation: evaluationSchema,
  championEvaluation: evaluationSchema.nullable(),
  gate: gateReportSchema,
});
export type ModelCard = z.infer<typeof modelCardSchema>;
