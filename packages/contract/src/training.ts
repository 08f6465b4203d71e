import { z } from 'zod';
import { digestSchema } from './names.ts';

export const backendNameSchema = z.enum(['tfjs-node-gpu', 'webgpu', 'tfjs-node', 'wasm', 'cpu']);
export type BackendName = z.infer<typeof backendNameSchema>;

/** What fitted a model: a backend of TensorFlow.js, or a program of the author's. */
export const trainerNameSchema = z.enum([...backendNameSchema.options, 'command']);
export type TrainerName = z.infer<typeof trainerNameSchema>;

/** What happens while a network is fitted, as it streams from the training process. */
export const trainingProgressSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('started'),
    backend: backendNameSchema,
    device: z.string(),
    rows: z.int(),
    epochs: z.int(),
    parameters: z.int(),
    /** In words, why the weights began where they did. */
    start: z.string(),
  }),
  z.strictObject({
    type: z.literal('batch'),
    epoch: z.int(),
    /** Share of all the epochs' rows that are done, 0 to 1. */
    done: z.number(),
    loss: z.number(),
  }),
  z.strictObject({
    type: z.literal('epoch'),
    epoch: z.int(),
    loss: z.number(),
    validationLoss: z.number().nullable(),
    rowsPerSecond: z.number(),
  }),
  z.strictObject({ type: z.literal('log'), line: z.string() }),
]);
export type TrainingProgress = z.infer<typeof trainingProgressSchema>;

export const epochResultSchema = z.strictObject({
  epoch: z.int(),
  loss: z.number(),
  validationLoss: z.number().nullable(),
});

/** What a training step leaves behind, beside the artifact itself. */
export const trainingResultSchema = z.strictObject({
  artifact: digestSchema,
  bytes: z.int(),
  backend: trainerNameSchema,
  device: z.string(),
  seed: z.int(),
  /** Numbers that were learnt; null where the file does not tell them from others, as of trees. */
  parameters: z.int().nullable(),
  /** The layers in order, one line each; of a command's model its operators. */
  architecture: z.array(z.string()),
  /** Empty where a command trained: what it does inside is its own. */
  epochs: z.array(epochResultSchema),
  warmStart: z.strictObject({ from: digestSchema.optional(), note: z.string() }),
  /** The exported file against the trained network on the same rows; null where a command trained, since only the file is known. */
  parity: z.strictObject({ rows: z.int(), maxDifference: z.number() }).nullable(),
  /** What was fitted on the validation rows after the network; null where the pipeline asks for none, and where a command trained. */
  calibration: z
    .strictObject({
      method: z.enum(['temperature', 'isotonic']),
      /** The temperature, or the points (probability in, probability out) of the rising function. */
      temperature: z.number().nullable(),
      points: z.array(z.tuple([z.number(), z.number()])).nullable(),
      /** Log loss on the validation rows without it and with it. */
      logLoss: z.strictObject({ before: z.number(), after: z.number() }),
    })
    .nullable(),
  /** A logistic or linear regression on the same encoded features, as an artifact; null where a command trained. */
  linear: z.strictObject({ artifact: digestSchema, bytes: z.int() }).nullable(),
  hardware: z.strictObject({ cpu: z.string(), cores: z.int(), memoryBytes: z.int(), node: z.string() }),
  seconds: z.number(),
});
export type TrainingResult = z.infer<typeof trainingResultSchema>;

/** Farthest that the exported file and the trained network may be apart, in the output's units. */
export const PARITY_TOLERANCE = 1e-4;
