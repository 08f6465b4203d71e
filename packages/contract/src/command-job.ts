import { z } from 'zod';
import { columnNameSchema, digestSchema, featureNameSchema, instantSchema, nameSchema } from './names.ts';
import { inputColumnSchema } from './encoding.ts';
import { windowSpecSchema } from './pipeline-spec.ts';

const commandSplitSchema = z.strictObject({
  /** Absolute path of the split's Parquet file; only to be read. */
  path: z.string(),
  rows: z.int().nonnegative(),
  /** The split covers [from, to). */
  from: instantSchema,
  to: instantSchema,
});

/**
 * What a training command is told: the content of the JSON file that its environment variable `PERENNIAL_JOB` names. Its columns are those
 * of the Parquet files, beside which these hold the label, `__time` (BIGINT, milliseconds since 1970 in UTC), `__key` where there is a key, and `__row` (a hash): none of
 * them is an input.
 */
export const commandJobSchema = z.strictObject({
  /** Version of this format. */
  format: z.literal(1),
  pipeline: nameSchema,
  /** Address of the dataset version. */
  dataset: digestSchema,
  splits: z.strictObject({ train: commandSplitSchema, validation: commandSplitSchema }),
  window: windowSpecSchema,
  /** The model's inputs. Missing is NULL in the Parquet files; the artifact's table of column types says what it is at the model's border. */
  columns: z.array(inputColumnSchema).min(1),
  label: z.strictObject({
    kind: z.enum(['binary', 'multiclass', 'regression']),
    name: featureNameSchema,
    /** Where it is in the Parquet files: DOUBLE 0 or 1 of a binary label, VARCHAR of a multiclass one, DOUBLE of a regression. */
    column: columnNameSchema,
    /** Of a multiclass label: its classes, in the order of the model's probabilities. */
    classes: z.array(z.string()).optional(),
  }),
  seed: z.int().nonnegative(),
  output: z.strictObject({
    /** Absolute path at which `model.onnx` must lie when the command ends. */
    model: z.string(),
    /** Most bytes it may have. */
    maxBytes: z.int().positive(),
  }),
});
export type CommandJob = z.infer<typeof commandJobSchema>;
