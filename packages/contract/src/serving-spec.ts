import { z } from 'zod';
import { durationSchema } from './durations.ts';
import { columnNameSchema } from './names.ts';

/** When a prediction counts as on record: on the disk, with the operating system, or as soon as it is made. */
export const durabilitySchema = z.enum(['disk', 'process', 'none']);
export type Durability = z.infer<typeof durabilitySchema>;

/** What is put on record of an endpoint's predictions, and how surely. Absent fields: the installation's way. */
export const recordSpecSchema = z.strictObject({
  durability: durabilitySchema.optional(),
  /** What happens when the journal has no room: no answer without a record, or an answer without one, counted. */
  whenFull: z.enum(['refuse', 'drop-and-count']).optional(),
  /** Share of the predictions that are put on record. */
  sample: z.number().gt(0).max(1).optional(),
  /** Columns whose values are left out of the record. */
  redact: z.array(columnNameSchema).max(1_000).optional(),
});
export type RecordSpec = z.infer<typeof recordSpecSchema>;

/** How a model is served. `online` computes when asked, `offline` answers from a table computed before; both are hybrid serving. */
export const servingSpecSchema = z.strictObject({
  modes: z.array(z.enum(['online', 'offline'])).min(1),
  record: recordSpecSchema.optional(),
  cache: z
    .strictObject({
      /** Answers to equal features, kept so long. */
      predictions: z.strictObject({ maxAge: durationSchema, maxBytes: z.int().min(1).optional() }).optional(),
      /** The last known row of each entity, so that a request may bring its key alone; read anew after so long. */
      features: z.strictObject({ maxAge: durationSchema }).optional(),
    })
    .optional(),
  precompute: z
    .strictObject({
      /** `promotion`: by itself for every new champion; `request`: when it is asked for. */
      after: z.enum(['promotion', 'request']),
      /** Answers older than this are not given any more. */
      maxAge: durationSchema.optional(),
    })
    .optional(),
});
export type ServingSpec = z.infer<typeof servingSpecSchema>;

/** How a model is served of which nothing is said. */
export const DEFAULT_SERVING: ServingSpec = { modes: ['online'] };
