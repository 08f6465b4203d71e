import { z } from 'zod';
import { idSchema } from './ids.ts';
import { digestSchema, nameSchema } from './names.ts';

/** Where a model version came from, link by link. */
export const lineageSchema = z.strictObject({
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
export type Lineage = z.infer<typeof lineageSchema>;
