import { z } from 'zod';
import { idSchema } from './ids.ts';
import { columnNameSchema, digestSchema, instantSchema, nameSchema } from './names.ts';
import { failureSchema } from './run.ts';

/** `queued → running → completed`, or `failed`, `cancelled`. */
export const batchStateSchema = z.enum(['queued', 'running', 'completed', 'failed', 'cancelled']);
export type BatchState = z.infer<typeof batchStateSchema>;

/** What a batch reads: files of the pipelines' folder or of the object store, or a split of a dataset version. */
export const batchInputSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('files'),
    format: z.enum(['parquet', 'csv', 'ndjson']),
    /** Paths below the folder that batches may read, with wildcards. */
    path: z.string().min(1).max(1_024),
  }),
  z.strictObject({
    kind: z.literal('objectStore'),
    format: z.enum(['parquet', 'csv', 'ndjson']),
    /** Prefix of the keys. */
    prefix: z.string().min(1).max(1_024),
  }),
  z.strictObject({
    kind: z.literal('dataset'),
    dataset: digestSchema,
    split: z.enum(['train', 'validation', 'test']),
  }),
]);
export type BatchInput = z.infer<typeof batchInputSchema>;

export const batchRequestSchema = z.strictObject({
  input: batchInputSchema,
  /** Columns of the input that are passed through to the output, beside the predictions. */
  keys: z.array(columnNameSchema).max(100).default([]),
  /** Absent: the champion when the batch begins. */
  version: z.int().positive().optional(),
});
export type BatchRequest = z.infer<typeof batchRequestSchema>;

/** The scoring of a file: one output, or none. */
export const batchSchema = z.strictObject({
  id: idSchema('batch'),
  model: nameSchema,
  version: z.int().positive(),
  input: batchInputSchema,
  keys: z.array(columnNameSchema),
  state: batchStateSchema,
  /** Null before they are counted. */
  rows: z.int().nullable(),
  done: z.int(),
  /** The Parquet file, once completed. */
  output: z.strictObject({ digest: digestSchema, bytes: z.int(), rows: z.int() }).nullable(),
  requestedBy: z.string(),
  createdAt: instantSchema,
  startedAt: instantSchema.nullable(),
  endedAt: instantSchema.nullable(),
  error: failureSchema.nullable(),
});
export type Batch = z.infer<typeof batchSchema>;
