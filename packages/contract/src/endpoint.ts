import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema, textSchema } from './names.ts';
import { servingSpecSchema } from './serving-spec.ts';

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

/** The whole way a model is served from now on, and why. */
export const endpointChangeSchema = z.strictObject({
  serving: servingSpecSchema,
  reason: textSchema({ min: 1, max: 2_000 }).optional(),
});
export type EndpointChange = z.infer<typeof endpointChangeSchema>;

/** A version of a model that is in memory, or on its way there. */
export const residentSchema = z.strictObject({
  model: nameSchema,
  version: z.int(),
  /** `leaving`: not served any more, and held by requests that are not done yet. */
  state: z.enum(['loading', 'resident', 'leaving']),
  /** Estimated memory; null while it is being loaded. */
  bytes: z.int().nullable(),
  /** Requests since it was loaded. */
  requests: z.int(),
  /** Requests that hold it now. */
  users: z.int(),
  loadedAt: instantSchema.nullable(),
  /** Null until a request has asked for it. */
  lastUsedAt: instantSchema.nullable(),
});

/** The models in one process's memory. */
export const residencySchema = z.strictObject({
  /** Most memory that models take together, in bytes. */
  memoryBytes: z.int(),
  residents: z.int(),
  residentBytes: z.int(),
  /** Since the process started. */
  loads: z.int(),
  evictions: z.int(),
  /** Requests that had to wait for a model to be loaded, those of them that were refused, and those that wait now. */
  coldRequests: z.int(),
  coldRefused: z.int(),
  coldWaiting: z.int(),
  models: z.array(residentSchema),
  /** Champions that are not served, since they are not what was approved and signed. */
  refused: z.array(z.strictObject({ model: nameSchema, version: z.int(), problem: z.string() })),
});
export type Residency = z.infer<typeof residencySchema>;
