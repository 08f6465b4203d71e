import type { Activation } from '@perennial/contract';

/**
 * A fitted network in a neutral form, between the training backend that made it and the ONNX graph it is written into. Layers are in
 * topological order; each reads the outputs of earlier layers or of inputs by name.
 */
export interface NetworkGraph {
  inputs: NetworkInput[];
  layers: NetworkLayer[];
  /** Name of the layer whose output is the network's: probabilities for classifiers, the scaled value for a regression. */
  output: string;
}

/** An output of the encoder: the `dense` float columns `[rows, width]`, or the indices `[rows, 1]` of one embedding feature. */
export interface NetworkInput {
  name: string;
  kind: 'dense' | 'indices';
  width: number;
}

/** Weights in row-major order. */
export interface WeightTensor {
  shape: number[];
  data: Float32Array;
}

export type NetworkLayer = { name: string; inputs: string[] } & NetworkOperation;

export type NetworkOperation =
  | { kind: 'dense'; kernel: WeightTensor; bias?: WeightTensor; activation: Activation }
  | { kind: 'activation'; activation: Activation; alpha?: number }
  | {
      kind: 'batchNormalization';
      gamma?: WeightTensor;
      beta?: WeightTensor;
      mean: WeightTensor;
      variance: WeightTensor;
      epsilon: number;
    }
  | { kind: 'layerNormalization'; gamma?: WeightTensor; beta?: WeightTensor; epsilon: number }
  /** Passes its input on: dropout does nothing at inference. */
  | { kind: 'dropout' }
  | { kind: 'concatenate' }
  | { kind: 'add' }
  /** `[rows, 1]` indices to `[rows, 1, dimension]`, as Keras does; a `flatten` follows. */
  | { kind: 'embedding'; table: WeightTensor }
  | { kind: 'flatten' };
