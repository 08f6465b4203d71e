import { z } from 'zod';
import { encoderSpecSchema, fittedLabelSchema } from './encoding.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import { expectationSchema, sourceSpecSchema, windowSpecSchema } from './pipeline-spec.ts';

export const splitNameSchema = z.enum(['train', 'validation', 'test']);
export type SplitName = z.infer<typeof splitNameSchema>;

/** One split: a Parquet file in the artifact store, covering [from, to). */
export const splitSchema = z.strictObject({
  digest: digestSchema,
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  from: instantSchema,
  to: instantSchema,
});
export type Split = z.infer<typeof splitSchema>;

/**
 * What a dataset version is. Its digest is the version's address, so it holds only what follows from the input: no path, no clock,
 * no machine. The same rows under the same definition give the same digest anywhere.
 *
 * Columns of a split's Parquet file, in order: the encoder's input columns under their own names; the slice columns not among
 * them; `__label` (DOUBLE 0/1 for binary, VARCHAR for multiclass, DOUBLE for regression); `__time` (BIGINT, milliseconds since 1970);
 * `__key` (VARCHAR) where the pipeline has a key; `__row` (BIGINT), a hash that is the same wherever the same row turns up: of key and time
 * where the pipeline has a key, of all the source's columns where it has none.
 */
export const datasetManifestSchema = z.strictObject({
  /** Version of this format. */
  format: z.literal(1),
  pipeline: nameSchema,
  splits: z.strictObject({ train: splitSchema, validation: splitSchema, test: splitSchema }),
  encoder: encoderSpecSchema,
  label: fittedLabelSchema,
  /** Slice columns, all as text. */
  slices: z.array(z.string()),
});
export type DatasetManifest = z.infer<typeof datasetManifestSchema>;

export const quarantineReasonSchema = z.strictObject({
  /** The expectation that was broken, in words: `distance is between 10 and 6000`. */
  reason: z.string(),
  rows: z.int().nonnegative(),
});

export const columnSummarySchema = z.strictObject({
  name: z.string(),
  type: z.string(),
  missing: z.int().nonnegative(),
  distinct: z.int().nonnegative(),
  /** Of numbers and timestamps (milliseconds). */
  min: z.number().nullable(),
  max: z.number().nullable(),
  mean: z.number().nullable(),
  standardDeviation: z.number().nullable(),
  /** Of numbers and timestamps: 0 %, 5 %, 10 % … 100 %, 21 in all. */
  quantiles: z.array(z.number()).length(21).nullable(),
  /** Of numbers and timestamps: rows in bins of equal width from the first edge to the last. */
  histogram: z
    .strictObject({ edges: z.array(z.number()).min(2), rows: z.array(z.int().nonnegative()) })
    .nullable(),
  /** The most frequent values of text and booleans, at most 200. */
  top: z.array(z.strictObject({ value: z.string(), rows: z.int() })).nullable(),
});
export type ColumnSummary = z.infer<typeof columnSummarySchema>;

/** What a person wants to know of a dataset version. Columns and label are summarised over the training rows. */
export const dataCardSchema = z.strictObject({
  pipeline: nameSchema,
  dataset: digestSchema,
  asOf: instantSchema,
  window: windowSpecSchema,
  source: sourceSpecSchema,
  /** The source's files as they were read. */
  files: z.array(z.strictObject({ name: z.string(), bytes: z.int(), digest: digestSchema })),
  splits: z.record(splitNameSchema, splitSchema),
  columns: z.array(columnSummarySchema),
  /** Per split: rows per class, or of a regression mean and standard deviation. */
  labels: z.record(
    splitNameSchema,
    z.strictObject({
      mean: z.number().nullable(),
      standardDeviation: z.number().nullable(),
      classes: z.record(z.string(), z.int()).nullable(),
    }),
  ),
  expectations: z.array(expectationSchema),
  quarantine: z.strictObject({
    rows: z.int().nonnegative(),
    reasons: z.array(quarantineReasonSchema),
    /** The quarantined rows as Parquet, with a `__reason` column; absent when there are none. */
    digest: digestSchema.optional(),
  }),
});
export type DataCard = z.infer<typeof dataCardSchema>;

export const datasetVersionSchema = z.strictObject({
  digest: digestSchema,
  pipeline: nameSchema,
  asOf: instantSchema,
  createdAt: instantSchema,
  manifest: datasetManifestSchema,
  card: dataCardSchema,
  /** When its rows were removed; absent while they are kept. Manifest and card stay. */
  removedAt: instantSchema.optional(),
});
export type DatasetVersion = z.infer<typeof datasetVersionSchema>;
export const datasetSummarySchema = datasetVersionSchema
  .omit({ manifest: true, card: true })
  .extend({ rows: z.record(splitNameSchema, z.int()), quarantined: z.int() });
export type DatasetSummary = z.infer<typeof datasetSummarySchema>;
