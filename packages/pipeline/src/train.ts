import type {
  Activation,
  CommandTrainSpec,
  LabelSpec,
  NetworkTrainSpec,
  TrainSpec,
} from '@perennial/contract';
import type { LayersModel, SymbolicTensor, TensorFlow } from './tensorflow.ts';

export type MlpSpec = Extract<TrainSpec, { kind: 'mlp' }>;
export type CustomSpec = Extract<TrainSpec, { kind: 'custom' }>;

/** How a network is fitted, whatever it looks like. */
export interface FitOptions {
  /**
   * Passes over the training rows.
   * @default 5
   */
  epochs?: number;
  /** @default 1024 */
  batchSize?: number;
  /** @default 0.001 */
  learningRate?: number;
  /** @default 'adam' */
  optimizer?: NetworkTrainSpec['optimizer'];
  /** Stop after this many epochs without a better validation loss, and keep the best weights. Absent: all epochs are run. */
  patience?: number;
  /**
   * Begin at the champion's weights where shapes and vocabulary allow, and then make this many passes; `true` means one, since the champion
   * has seen all but the newest rows.
   * @default false
   */
  warmStart?: boolean | { epochs: number };
  /**
   * Fitted on the validation rows after the network and exported in the same graph, so that a probability may be taken at its word: `temperature` divides the
   * logits by one number; `isotonic` (binary labels) puts a rising function behind the probability.
   * @default 'none'
   */
  calibration?: NetworkTrainSpec['calibration'];
  /**
   * Of the initial weights, the order of rows and dropout.
   * @default 1
   */
  seed?: number;
  /**
   * The training process is stopped after this long.
   * @default '1h'
   */
  timeout?: string;
}

export interface MlpOptions extends FitOptions {
  /**
   * Width of each hidden layer; none makes a linear model.
   * @default [64, 32]
   */
  hidden?: number[];
  /** @default 'relu' */
  activation?: Activation;
  /**
   * Share of a hidden layer's outputs left out in training.
   * @default 0
   */
  dropout?: number;
  /** @default false */
  batchNormalization?: boolean;
}

/** A multi-layer perceptron over the numbers and the embeddings of all features. */
export function mlp(options: MlpOptions = {}): MlpSpec {
  const { warmStart, ...rest } = options;
  return {
    kind: 'mlp',
    hidden: [64, 32],
    activation: 'relu',
    dropout: 0,
    batchNormalization: false,
    ...FIT_DEFAULTS,
    ...rest,
    ...warmStartOf(warmStart),
  };
}

/** What a custom network is built from. */
export interface TrainContext {
  /** TensorFlow.js, already on its backend. */
  tf: TensorFlow;
  /**
   * The network's inputs: `dense` float `[rows, denseWidth]` with all numeric columns, absent where there are none; and under each embedding
   * feature's name its indices `[rows, 1]`.
   */
  inputs: { readonly [feature: string]: SymbolicTensor | undefined; readonly dense?: SymbolicTensor };
  denseWidth: number;
  /** The embedding features in order: `size` rows of table, and the dimension asked for or suggested. */
  embeddings: readonly { feature: string; size: number; dimension: number }[];
  label: LabelSpec;
  /** Width the last layer must have: 1 (sigmoid) for binary, the number of classes (softmax), 1 (linear) for regression. */
  outputs: number;
  /** For the seeds of initialisers and dropout: without them two trainings differ. */
  seed: number;
}

/** Builds a network, not yet compiled or fitted. Its inputs are the context's; runs in the training process. */
export type TrainFunction = (context: TrainContext) => LayersModel | Promise<LayersModel>;

/** A network of the author's own with how to fit it. */
export interface CustomTrain {
  readonly spec: CustomSpec;
  readonly build: TrainFunction;
}

/** A network of the author's own. The function alone may stand for it where the defaults will do. */
export function custom(build: TrainFunction, options: FitOptions = {}): CustomTrain {
  const { warmStart, ...rest } = options;
  return { spec: { kind: 'custom', ...FIT_DEFAULTS, ...rest, ...warmStartOf(warmStart) }, build };
}

export interface CommandOptions {
  /**
   * Names of environment variables that the command may see, beside PATH, HOME, LANG and `PERENNIAL_JOB`.
   * @default []
   */
  environment?: string[];
  /**
   * The command and all that it started are stopped after this long.
   * @default '1h'
   */
  timeout?: string;
  /**
   * Handed to the command, which is to draw all its random numbers from it.
   * @default 1
   */
  seed?: number;
}

/**
 * A program of the author's that trains, in any language: `command(['python', 'train.py'])`. It runs in the pipeline's folder, without a
 * shell, reads what it needs from the JSON file that `PERENNIAL_JOB` names, and must leave `model.onnx` where that says.
 */
export function command(
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
): CommandTrainSpec {
  return { kind: 'command', command: [...argv], environment: [], seed: 1, timeout: '1h', ...options };
}

const FIT_DEFAULTS = {
  epochs: 5,
  batchSize: 1024,
  learningRate: 0.001,
  optimizer: 'adam',
  calibration: 'none',
  seed: 1,
  timeout: '1h',
} as const satisfies Partial<MlpSpec>;

function warmStartOf(option: FitOptions['warmStart']): Pick<MlpSpec, 'warmStart'> {
  if (option === undefined || option === false) return {};
  return { warmStart: option === true ? { epochs: 1 } : option };
}
