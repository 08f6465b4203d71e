import { z } from 'zod';
import { signatureSchema } from './encoding.ts';
import { gateReportSchema } from './gate-report.ts';
import { lineageSchema } from './lineage.ts';
import { metricSchema } from './metric.ts';
import { digestSchema, instantSchema, nameSchema, textSchema } from './names.ts';
import { modelCardSchema } from './model-card.ts';
import { tagsSchema } from './tags.ts';

export const modelSchema = z.strictObject({
  name: nameSchema,
  description: z.string(),
  tags: tagsSchema,
  createdAt: instantSchema,
  latestVersion: z.int(),
  championVersion: z.int().nullable(),
});
export type Model = z.infer<typeof modelSchema>;

/** The number of a version in a path: from 1 up to what the database's integers hold. */
export const versionNumberSchema = z.coerce.number<number>().int().min(1).max(2_147_483_647);

/** A numbered, immutable candidate. */
export const modelVersionSchema = z.strictObject({
  model: nameSchema,
  version: z.int().positive(),
  artifact: digestSchema,
  artifactBytes: z.int(),
  signature: signatureSchema,
  createdAt: instantSchema,
  /** The instant the version's data ends at; what staleness counts from. */
  asOf: instantSchema,
  lineage: lineageSchema,
  gate: gateReportSchema.nullable(),
  aliases: z.array(nameSchema),
  description: z.string(),
  tags: tagsSchema,
});
export type ModelVersion = z.infer<typeof modelVersionSchema>;

/** A version with all that is known of it. */
export const modelVersionDetailSchema = modelVersionSchema.extend({ card: modelCardSchema });
export type ModelVersionDetail = z.infer<typeof modelVersionDetailSchema>;

/** What two versions of one model differ in. */
export const versionComparisonSchema = z.strictObject({
  model: nameSchema,
  a: z.int(),
  b: z.int(),
  /** Each metric of both, on their own test rows, and b minus a. */
  metrics: z.array(
    z.strictObject({
      metric: metricSchema,
      a: z.number().nullable(),
      b: z.number().nullable(),
      difference: z.number().nullable(),
    }),
  ),
  /** Whether both were evaluated on the same test rows, without which their metrics cannot be compared. */
  sameTestRows: z.boolean(),
  /** Every other field that differs, by its path in the card: `training.spec.learningRate`, `features.distance.scale`, `data.rows.train`. */
  differences: z.array(z.strictObject({ path: z.string(), a: z.unknown(), b: z.unknown() })),
});
export type VersionComparison = z.infer<typeof versionComparisonSchema>;

/** What a file that was made elsewhere is registered with, beside its bytes. */
export const importRequestSchema = z.strictObject({
  /** Base64 of the ONNX file. */
  file: z.base64(),
  /** Rows that the file is run on before it is taken, as a prediction request would hold them. */
  sample: z.array(z.record(z.string(), z.unknown())).min(1).max(1_000),
  description: textSchema({ max: 10_000 }).default(''),
  note: textSchema({ max: 2_000 }).default(''),
  /** What its output is, where the file does not say: the threshold of a binary label, the classes. */
  output: signatureSchema.shape.output.optional(),
});
export type ImportRequest = z.infer<typeof importRequestSchema>;
