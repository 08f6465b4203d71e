import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema } from './names.ts';
import { servingSpecSchema } from './pipeline-spec.ts';

/** Who says how a model is served: its pipeline's file, or an operator, where no pipeline makes it. */
export const endpointSourceSchema = z.enum(['pipeline', 'operator', 'default']);
export type EndpointSource = z.infer<typeof endpointSourceSchema>;

/** A served address: one model, under the model's name, with the way it is served. */
export const endpointSchema = z.strictObject({
  name: nameSchema,
  model: nameSchema,
  serving: servingSpecSchema,
  source: endpointSourceSchema,
  /** The table of precomputed answers that is given out now. */
  precomputation: idSchema('precomputation').nullable(),
  /** Null where nobody has said anything. */
  updatedAt: instantSchema.nullable(),
  updatedBy: z.string().nullable(),
});
export type Endpoint = z.infer<typeof endpointSchema>;
