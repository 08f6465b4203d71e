import { z } from 'zod';
import { durationSchema, timeoutSchema } from './durations.ts';
import { columnNameSchema, digestSchema, featureNameSchema, nameSchema } from './names.ts';
import { servingSpecSchema } from './serving-spec.ts';
import { validateSpecSchema } from './validate-spec.ts';

/**
 * A pipeline in its normal form: every default filled in, every function replaced by the digest of its code, so that it can be
 * stored, shown and compared. `@perennial/pipeline` compiles what an author writes into this.
 */

// --- Source -------------------------------------------------------------------------------------------------------------------

const paths = z.array(z.string().min(1)).min(1);

export const sourceSpecSchema = z.discriminatedUnion('kind', [
  /** Parquet files; paths may hold globs and are relative to the pipeline file. */
  z.strictObject({ kind: z.literal('parquet'), paths }),
  z.strictObject({
    kind: z.literal('csv'),
    paths,
    delimiter: z.string().length(1).optional(),
    header: z.boolean(),
    /** Column types by name (DuckDB's names), where sniffing would guess wrong. */
    types: z.record(columnNameSchema, z.string()).optional(),
  }),
  /** JSON: one array of objects, or one object a line. */
  z.strictObject({ kind: z.literal('json'), paths }),
  /** Rows of a query on a PostgreSQL database, read by cursor. `connection` is one of the platform's configured connections. */
  z.strictObject({
    kind: z.literal('postgres'),
    connection: nameSchema,
    query: z.string().min(1).max(100_000),
  }),
  /** Files in an S3 bucket, all those whose key begins with the prefix. */
  z.strictObject({
    kind: z.literal('objectStore'),
    bucket: z.string().min(3).max(63),
    prefix: z.string().max(1_024),
    format: z.enum(['parquet', 'csv', 'json']),
  }),
  /** The events that were posted to a stream of the platform. */
  z.strictObject({ kind: z.literal('stream'), stream: nameSchema }),
  /**
   * The platform's own predictions of a model joined with their ground truth: the model's input columns, `label`, `time`, `key` and `version`.
   * Predictions whose truth has not come are left out.
   */
  z.strictObject({ kind: z.literal('predictionLog'), model: nameSchema }),
  /** A function `async function* ({ from, to, signal })` in the pipeline file that yields rows. */
  z.strictObject({ kind: z.literal('query') }),
]);
export type SourceSpec = z.infer<typeof sourceSpecSchema>;
/** A source of files on the local disk. */
export type FileSourceSpec = Extract<SourceSpec, { paths: string[] }>;

// --- Expectations -------------------------------------------------------------------------------------------------------------

/** What must hold of the data. A row that breaks one goes to quarantine; `rowCount` is about all rows and fails the run. */
export const expectationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('notNull'), column: columnNameSchema }),
  z.strictObject({
    kind: z.literal('between'),
    column: columnNameSchema,
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  z.strictObject({
    kind: z.literal('oneOf'),
    column: columnNameSchema,
    values: z.array(z.union([z.string(), z.number(), z.boolean()])).min(1),
  }),
  /** The whole text must match the regular expression (RE2 syntax). */
  z.strictObject({ kind: z.literal('matches'), column: columnNameSchema, pattern: z.string().min(1) }),
  /** The columns together name a row; of repeated rows the first is kept. */
  z.strictObject({ kind: z.literal('unique'), columns: z.array(columnNameSchema).min(1) }),
  z.strictObject({
    kind: z.literal('rowCount'),
    min: z.int().nonnegative().optional(),
    max: z.int().positive().optional(),
  }),
  /** A free SQL predicate over the row, such as `arrival > departure`. Null counts as broken. */
  z.strictObject({ kind: z.literal('predicate'), name: z.string().min(1).max(120), sql: z.string().min(1) }),
]);
export type Expectation = z.infer<typeof expectationSchema>;

// --- Label --------------------------------------------------------------------------------------------------------------------

/** `from` is a SQL expression over the source's columns. */
export const labelSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('binary'),
    name: featureNameSchema,
    from: z.string().min(1),
    /** Probability at and above which the decision is true. */
    threshold: z.number().gt(0).lt(1),
  }),
  z.strictObject({
    kind: z.literal('multiclass'),
    name: featureNameSchema,
    from: z.string().min(1),
    /** The classes in order; read from the training rows (sorted) when absent. */
    classes: z.array(z.string()).min(2).optional(),
  }),
  z.strictObject({ kind: z.literal('regression'), name: featureNameSchema, from: z.string().min(1) }),
]);
export type LabelSpec = z.infer<typeof labelSpecSchema>;
export type LabelKind = LabelSpec['kind'];

// --- Features -----------------------------------------------------------------------------------------------------------------

/**
 * How a category becomes numbers: an index for an embedding layer of the network (`dimension` absent: chosen from the vocabulary's
 * size), or one column per category.
 */
export const categoryEncodingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedding'), dimension: z.int().min(1).max(1024).optional() }),
  z.strictObject({ kind: z.literal('oneHot') }),
]);
export type CategoryEncoding = z.infer<typeof categoryEncodingSchema>;

export const TIMESTAMP_PARTS = [
  'minuteOfHour',
  'hourOfDay',
  'minuteOfDay',
  'dayOfWeek',
  'dayOfMonth',
  'dayOfYear',
  'month',
] as const;
export const timestampPartSchema = z.enum(TIMESTAMP_PARTS);
export type TimestampPart = z.infer<typeof timestampPartSchema>;

export const featureSpecSchema = z.discriminatedUnion('kind', [
  /** Order of the steps: impute, clip, log, scale. */
  z.strictObject({
    kind: z.literal('numeric'),
    column: columnNameSchema,
    /** What stands for a missing value: the training rows' mean or median (after clipping), or a constant. */
    impute: z.union([z.enum(['mean', 'median']), z.number()]),
    /** Adds a second column that is 1 where the value was missing. */
    missingIndicator: z.boolean(),
    clip: z.strictObject({ min: z.number().optional(), max: z.number().optional() }).optional(),
    /** sign(x) · ln(1 + |x|). */
    log: z.boolean(),
    /** `standard`: (x − mean) / standard deviation; `minMax`: (x − min) / (max − min); of the training rows. */
    scale: z.enum(['standard', 'minMax', 'none']),
  }),
  /** true 1, false 0, missing 0 with a second column that says so. */
  z.strictObject({ kind: z.literal('boolean'), column: columnNameSchema }),
  z.strictObject({
    kind: z.literal('categorical'),
    column: columnNameSchema,
    /** Categories seen fewer times than this in the training rows count as out of vocabulary. */
    minCount: z.int().min(1),
    /** The most frequent this many are kept. */
    maxSize: z.int().min(1).max(1_000_000),
    encoding: categoryEncodingSchema,
  }),
  z.strictObject({
    kind: z.literal('timestamp'),
    column: columnNameSchema,
    parts: z.array(timestampPartSchema).min(1),
    /** true: sine and cosine of each part's position in its period; false: position in [0, 1). All in UTC. */
    cyclic: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('crossed'),
    columns: z.array(columnNameSchema).min(2).max(4),
    /** Combinations are hashed into this many buckets (exact where they all fit). */
    buckets: z.int().min(2).max(1_000_000),
    minCount: z.int().min(1),
    encoding: categoryEncodingSchema,
  }),
]);
export type FeatureSpec = z.infer<typeof featureSpecSchema>;

// --- Data ---------------------------------------------------------------------------------------------------------------------

/** How much of the newest data goes where; the window ends where the run's day begins: train, then validation, then test. */
export const windowSpecSchema = z.strictObject({
  train: durationSchema,
  validation: durationSchema,
  test: durationSchema,
});
export type WindowSpec = z.infer<typeof windowSpecSchema>;

export const dataSpecSchema = z.strictObject({
  source: sourceSpecSchema,
  /** The column that says when a row happened: a timestamp, a date, or ISO 8601 text. */
  time: columnNameSchema,
  /** The column that names the entity a row is about. */
  key: columnNameSchema.optional(),
  window: windowSpecSchema,
  expectations: z.array(expectationSchema),
});
export type DataSpec = z.infer<typeof dataSpecSchema>;

// --- Training -----------------------------------------------------------------------------------------------------------------

export const ACTIVATIONS = [
  'linear',
  'relu',
  'relu6',
  'elu',
  'selu',
  'gelu',
  'leakyRelu',
  'sigmoid',
  'hardSigmoid',
  'softplus',
  'softsign',
  'tanh',
  'softmax',
  'swish',
] as const;
export const activationSchema = z.enum(ACTIVATIONS);
export type Activation = z.infer<typeof activationSchema>;

export const warmStartSchema = z.strictObject({
  /** Passes over the training rows when the weights begin at the champion's. */
  epochs: z.int().min(1).max(10_000),
});

const fitSchema = {
  epochs: z.int().min(1).max(10_000),
  batchSize: z.int().min(1).max(1_000_000),
  learningRate: z.number().positive(),
  optimizer: z.enum(['adam', 'sgd', 'rmsprop', 'adagrad']),
  /** Stop after this many epochs without a better validation loss, and keep the best weights. */
  patience: z.int().min(1).optional(),
  /** Begin at the weights of the champion of the day before, where shapes and vocabulary allow. */
  warmStart: warmStartSchema.optional(),
  /**
   * Fitted on the validation rows after the network, and exported in the same graph: one number that the logits are divided by, or a rising
   * function of the probability (binary labels only).
   */
  calibration: z.enum(['none', 'temperature', 'isotonic']),
  seed: z.int().nonnegative(),
  timeout: timeoutSchema,
};

export const trainSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('mlp'),
    hidden: z.array(z.int().min(1).max(16_384)).max(32),
    activation: activationSchema,
    dropout: z.number().min(0).lt(1),
    batchNormalization: z.boolean(),
    ...fitSchema,
  }),
  /** A function `({ tf, inputs, … }) => LayersModel` in the pipeline file. */
  z.strictObject({ kind: z.literal('custom'), ...fitSchema }),
  /** A program of the author's that reads Parquet files and leaves `model.onnx`; run in the pipeline's folder, without a shell. */
  z.strictObject({
    kind: z.literal('command'),
    command: z.array(z.string().min(1)).min(1),
    /** Names of environment variables it may see, beside PATH and HOME. */
    environment: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)),
    seed: z.int().nonnegative(),
    timeout: timeoutSchema,
  }),
]);
export type TrainSpec = z.infer<typeof trainSpecSchema>;
/** A network that the platform fits itself. */
export type NetworkTrainSpec = Exclude<TrainSpec, { kind: 'command' }>;
export type CommandTrainSpec = Extract<TrainSpec, { kind: 'command' }>;

// --- Release and serving ------------------------------------------------------------------------------------------------------

/** Who lets a version that passed the gate into production. */
export const releasePolicySchema = z.discriminatedUnion('approval', [
  /** The gate alone. */
  z.strictObject({ approval: z.literal('automatic') }),
  /** People: so many different ones, none of whom asked for the release. */
  z.strictObject({
    approval: z.literal('required'),
    approvers: z.int().min(1).max(10),
    /** How long an approval holds. */
    expires: durationSchema,
  }),
]);
export type ReleasePolicy = z.infer<typeof releasePolicySchema>;

/** When runs start by themselves. `catchUp` says which of the due times that passed while no scheduler was up are made good. */
export const scheduleSpecSchema = z.strictObject({
  cron: z.string().min(1),
  timezone: z.string().min(1),
  catchUp: z.enum(['latest', 'all', 'none']),
});
export type ScheduleSpec = z.infer<typeof scheduleSpecSchema>;

/** What else starts a run. */
export const triggersSpecSchema = z.strictObject({
  /** A run when files of the source (or of these paths) have come that were not there before; each file counts once, by its digest. */
  files: z
    .strictObject({
      paths: paths.optional(),
      /** A file is taken once its size and time have stood still for so long, so that one still being written is not. */
      settle: durationSchema,
    })
    .optional(),
  /** A run when so many events have gathered in a stream, or the oldest has waited so long. */
  stream: z.strictObject({ stream: nameSchema, events: z.int().min(1), within: durationSchema }).optional(),
});
export type TriggersSpec = z.infer<typeof triggersSpecSchema>;

const timeOfDaySchema = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time of day such as 22:30');

/** When a trigger starts no run. Requests of a person or a program pass quiet hours and budget, since they know what they ask. */
export const limitsSpecSchema = z.strictObject({
  quietHours: z
    .strictObject({ from: timeOfDaySchema, to: timeOfDaySchema, timezone: z.string().min(1) })
    .optional(),
  /** A trigger that comes while a run of the pipeline is under way waits for its end, or is skipped. */
  whenBusy: z.enum(['wait', 'skip']),
  /** Minutes of training a day (UTC), beyond which triggers are skipped. */
  trainingMinutesPerDay: z.number().positive().optional(),
});
export type LimitsSpec = z.infer<typeof limitsSpecSchema>;

/** How long a step may take, and how often it is tried when what stopped it can pass by itself (network, lock). */
export const stepPolicySchema = z.strictObject({
  timeout: timeoutSchema,
  attempts: z.int().min(1).max(20),
  /** Wait before the second try; doubled for each further one. */
  backoff: timeoutSchema,
});
export type StepPolicy = z.infer<typeof stepPolicySchema>;

// --- The whole ----------------------------------------------------------------------------------------------------------------

export const pipelineSpecSchema = z.strictObject({
  name: nameSchema,
  description: z.string().max(10_000).optional(),
  /** Who answers for the model; stands on its card. */
  owners: z.array(z.string().min(1).max(200)).max(20),
  intendedUse: z.string().max(10_000).optional(),
  limitations: z.array(z.string().min(1).max(1_000)).max(50),
  schedule: scheduleSpecSchema.optional(),
  triggers: triggersSpecSchema,
  limits: limitsSpecSchema,
  steps: z.strictObject({ data: stepPolicySchema, training: stepPolicySchema, validation: stepPolicySchema }),
  data: dataSpecSchema,
  label: labelSpecSchema,
  features: z.record(featureNameSchema, featureSpecSchema),
  train: trainSpecSchema,
  validate: validateSpecSchema,
  release: releasePolicySchema,
  serving: servingSpecSchema,
});
export type PipelineSpec = z.infer<typeof pipelineSpecSchema>;

/** A pipeline as the platform knows it: its normal form and the digest of the code that it came from. */
export const pipelineSchema = z.strictObject({
  name: nameSchema,
  spec: pipelineSpecSchema,
  codeDigest: digestSchema,
  loadedAt: z.iso.datetime({ offset: true }),
});
export type Pipeline = z.infer<typeof pipelineSchema>;
