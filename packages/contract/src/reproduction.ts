import { z } from 'zod';
import { failureSchema } from './run.ts';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema } from './names.ts';

/** `failed` says that it could not be tried to the end: a source is gone, the pipeline's code is another. */
export const reproductionStateSchema = z.enum(['queued', 'running', 'identical', 'different', 'failed']);
export type ReproductionState = z.infer<typeof reproductionStateSchema>;

/** One thing that came out otherwise: `dataset.splits.train.digest`, `artifact`, `artifact.initializers.hidden_1.weight`. */
export const reproductionDifferenceSchema = z.strictObject({
  what: z.string(),
  recorded: z.string(),
  found: z.string(),
});
export type ReproductionDifference = z.infer<typeof reproductionDifferenceSchema>;

/** A version made again from its manifest: the same dataset version and the same artifact, byte for byte, or where they differ. */
export const reproductionSchema = z.strictObject({
  id: idSchema('reproduction'),
  model: nameSchema,
  version: z.int(),
  state: reproductionStateSchema,
  differences: z.array(reproductionDifferenceSchema),
  error: failureSchema.nullable(),
  requestedBy: z.string(),
  createdAt: instantSchema,
  endedAt: instantSchema.nullable(),
});
export type Reproduction = z.infer<typeof reproductionSchema>;
