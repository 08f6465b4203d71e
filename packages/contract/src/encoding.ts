import { z } from 'zod';
import { columnNameSchema, featureNameSchema } from './names.ts';
import { timestampPartSchema } from './pipeline-spec.ts';

/**
 * Features after the data step has fitted them: every statistic is a number here, so that the encoder graph can be written from this
 * alone. Stored in the dataset version's manifest and in the artifact's metadata.
 */

/**
 * What a raw column is at the artifact's border, and as which tensor it enters (shape `[rows, 1]`):
 *
 * | type        | tensor  | missing        |
 * | ----------- | ------- | -------------- |
 * | `number`    | float64 | NaN            |
 * | `boolean`   | float64 | NaN            |
 * | `text`      | string  | the empty text |
 * | `timestamp` | int64, milliseconds since 1970 in UTC | the smallest int64 |
 */
export const columnTypeSchema = z.enum(['number', 'boolean', 'text', 'timestamp']);
export type ColumnType = z.infer<typeof columnTypeSchema>;

export const inputColumnSchema = z.strictObject({ name: columnNameSchema, type: columnTypeSchema });
export type InputColumn = z.infer<typeof inputColumnSchema>;

/** The int64 that stands for a missing timestamp. */
export const MISSING_TIMESTAMP = -(2n ** 63n);

const encodingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedding'), dimension: z.int().min(1) }),
  z.strictObject({ kind: z.literal('oneHot') }),
]);

/**
 * A vocabulary: text values in a fixed order. Index 0 means missing, 1 out of vocabulary, `i + 2` the i-th entry. Columns of type
 * number and boolean are looked up by their text (`DuckDB`'s and JavaScript's agree on integers and on `true`/`false`).
 */
export const vocabularySchema = z.array(z.string());
export const VOCABULARY_OFFSET = 2;

export const fittedFeatureSchema = z.discriminatedUnion('kind', [
  /** ((log?)(clip(impute(x))) − center) / scale; with a missing indicator as a second column when asked for. */
  z.strictObject({
    kind: z.literal('numeric'),
    name: featureNameSchema,
    column: columnNameSchema,
    impute: z.number(),
    missingIndicator: z.boolean(),
    clip: z.strictObject({ min: z.number().optional(), max: z.number().optional() }),
    log: z.boolean(),
    center: z.number(),
    scale: z.number().positive(),
  }),
  z.strictObject({ kind: z.literal('boolean'), name: featureNameSchema, column: columnNameSchema }),
  z.strictObject({
    kind: z.literal('categorical'),
    name: featureNameSchema,
    column: columnNameSchema,
    vocabulary: vocabularySchema,
    encoding: encodingSchema,
  }),
  z.strictObject({
    kind: z.literal('timestamp'),
    name: featureNameSchema,
    column: columnNameSchema,
    parts: z.array(timestampPartSchema).min(1),
    cyclic: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('crossed'),
    name: featureNameSchema,
    columns: z.array(z.strictObject({ column: columnNameSchema, vocabulary: vocabularySchema })).min(2),
    buckets: z.int().min(2),
    encoding: encodingSchema,
  }),
]);
export type FittedFeature = z.infer<typeof fittedFeatureSchema>;

/** The label after fitting. A regression's network learns (y − center) / scale; the artifact undoes it. */
export const fittedLabelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('binary'), name: featureNameSchema, threshold: z.number() }),
  z.strictObject({
    kind: z.literal('multiclass'),
    name: featureNameSchema,
    classes: z.array(z.string()).min(2),
  }),
  z.strictObject({
    kind: z.literal('regression'),
    name: featureNameSchema,
    center: z.number(),
    scale: z.number().positive(),
  }),
]);
export type FittedLabel = z.infer<typeof fittedLabelSchema>;

const probability = z.number().min(0).max(1);
/** What is fitted on the validation rows so that a classifier's probabilities may be taken at their word. */
export const calibrationSchema = z.discriminatedUnion('method', [
  /** Logits are divided by it before sigmoid or softmax (Guo et al., "On Calibration of Modern Neural Networks", 2017). */
  z.strictObject({ method: z.literal('temperature'), temperature: z.number().positive() }),
  /** A rising function of a binary label's probability: linear between the points (in, out), constant beyond the first and the last. */
  z.strictObject({
    method: z.literal('isotonic'),
    points: z
      .array(z.tuple([probability, probability]))
      .min(2)
      .max(256),
  }),
]);
export type Calibration = z.infer<typeof calibrationSchema>;

/** Everything the encoder graph is written from. */
export const encoderSpecSchema = z.strictObject({
  columns: z.array(inputColumnSchema).min(1),
  features: z.array(fittedFeatureSchema).min(1),
});
export type EncoderSpec = z.infer<typeof encoderSpecSchema>;

/**
 * What an artifact takes and gives: read from the file, checked at registration, compiled into the validator at serving.
 *
 * Outputs by label kind: binary `probability` float32 [rows, 1] and `decision` bool [rows, 1]; multiclass `probabilities` float32
 * [rows, classes] and `decision` string [rows, 1]; regression `value` float32 [rows, 1].
 */
export const signatureSchema = z.strictObject({
  inputs: z.array(inputColumnSchema).min(1),
  output: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('binary'), threshold: z.number() }),
    z.strictObject({ kind: z.literal('multiclass'), classes: z.array(z.string()).min(2) }),
    z.strictObject({ kind: z.literal('regression') }),
  ]),
});
export type Signature = z.infer<typeof signatureSchema>;
