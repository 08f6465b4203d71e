import { z } from 'zod';
import { idSchema } from './ids.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';

/** Where a version that a run made came from, link by link. */
export const runLineageSchema = z.strictObject({
  kind: z.literal('run'),
  run: idSchema('run'),
  pipeline: nameSchema,
  codeDigest: digestSchema,
  dataset: digestSchema,
  /** The version whose weights it began at, if any. */
  warmStartedFrom: digestSchema.nullable(),
  backend: z.string(),
  device: z.string(),
  seed: z.int(),
  platformVersion: z.string(),
});
export type RunLineage = z.infer<typeof runLineageSchema>;

/** Of a version that was made elsewhere and registered as a file. */
export const importedLineageSchema = z.strictObject({
  kind: z.literal('imported'),
  by: z.string(),
  /** What wrote the file, by its own word: `skl2onnx 1.17.0`; empty where it does not say. */
  producer: z.string(),
  note: z.string(),
  platformVersion: z.string(),
});
export type ImportedLineage = z.infer<typeof importedLineageSchema>;

export const lineageSchema = z.discriminatedUnion('kind', [runLineageSchema, importedLineageSchema]);
export type Lineage = z.infer<typeof lineageSchema>;

const sourceFileSchema = z.strictObject({ name: z.string(), bytes: z.int(), digest: digestSchema });

/** From one prediction back to the files its model was made from. */
export const predictionLineageSchema = z.strictObject({
  prediction: idSchema('prediction'),
  at: instantSchema,
  model: nameSchema,
  version: z.int(),
  artifact: digestSchema,
  lineage: lineageSchema,
  /** The release that had made the version the champion when it answered; null where it answered otherwise. */
  release: idSchema('release').nullable(),
  dataset: z
    .strictObject({
      digest: digestSchema,
      pipeline: nameSchema,
      asOf: instantSchema,
      files: z.array(sourceFileSchema),
    })
    .nullable(),
  /** Versions whose weights it was warm-started from, nearest first. */
  ancestors: z.array(z.strictObject({ model: nameSchema, version: z.int(), artifact: digestSchema })),
});
export type PredictionLineage = z.infer<typeof predictionLineageSchema>;

/** From a source file to every model that ate it. */
export const fileLineageSchema = z.strictObject({
  digest: digestSchema,
  names: z.array(z.string()),
  datasets: z.array(z.strictObject({ digest: digestSchema, pipeline: nameSchema, asOf: instantSchema })),
  /** Trained on it, or warm-started from a version that was. */
  versions: z.array(
    z.strictObject({
      model: nameSchema,
      version: z.int(),
      inherited: z.boolean(),
      aliases: z.array(nameSchema),
    }),
  ),
});
export type FileLineage = z.infer<typeof fileLineageSchema>;
