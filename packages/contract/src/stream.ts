import { z } from 'zod';
import { instantSchema, nameSchema } from './names.ts';

/** An event of a stream: one row of a source to come. Values are those of columns. */
export const streamEventSchema = z.record(
  z.string().min(1).max(128),
  z.union([z.string().max(10_000), z.number(), z.boolean(), z.null()]),
);
export type StreamEvent = z.infer<typeof streamEventSchema>;

export const streamRequestSchema = z.strictObject({
  events: z.array(streamEventSchema).min(1).max(10_000),
});

export const streamResponseSchema = z.strictObject({
  stream: nameSchema,
  accepted: z.int(),
});

export const streamSchema = z.strictObject({
  name: nameSchema,
  events: z.int(),
  /** Events since a run was last triggered by the stream. */
  gathered: z.int(),
  lastEventAt: instantSchema.nullable(),
});
export type Stream = z.infer<typeof streamSchema>;
