import { z } from 'zod';
import { signatureSchema } from './encoding.ts';
import { gateReportSchema } from './gate-report.ts';
import { lineageSchema } from './lineage.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import { modelCardSchema } from './model-card.ts';

export const modelSchema = z.strictObject({
  name: nameSchema,
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
  gate: gateReportSchema,
  aliases: z.array(nameSchema),
});
export type ModelVersion = z.infer<typeof modelVersionSchema>;

/** A version with all that is known of it. */
export const modelVersionDetailSchema = modelVersionSchema.extend({ card: modelCardSchema });
export type ModelVersionDetail = z.infer<typeof modelVersionDetailSchema>;
