import type { Activation } from '@perennial/contract';

/**
 * The part of TensorFlow.js that a custom network may use, described structurally so that a pipeline needs no TensorFlow.js of its own: the
 * training process passes the real module in. A layer that is not here cannot be exported to ONNX and does not compile.
 *
 * @see https://js.tensorflow.org/api/latest/#Layers
 */
export interface TensorFlow {
  model(graph: {
    inputs: SymbolicTensor | SymbolicTensor[];
    outputs: SymbolicTensor;
    name?: string;
  }): LayersModel;
  layers: Layers;
  initializers: Record<string, (options: Record<string, unknown>) => unknown>;
  regularizers: Record<string, (options?: Record<string, unknown>) => unknown>;
}

/** A place in the network, before any numbers flow. The first dimension is the rows'. */
export interface SymbolicTensor {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

/** One layer, applied to the output of others. */
export interface Layer {
  readonly name: string;
  apply(input: SymbolicTensor | SymbolicTensor[]): SymbolicTensor;
}

/** A whole network. */
export interface LayersModel {
  readonly name: string;
  readonly inputs: readonly unknown[];
  readonly outputs: readonly unknown[];
  countParams(): number;
}

export interface Layers {
  dense(options: DenseOptions): Layer;
  embedding(options: EmbeddingOptions): Layer;
  activation(options: LayerOptions & { activation: LayerActivation }): Layer;
  dropout(options: LayerOptions & { rate: number; seed?: number }): Layer;
  batchNormalization(options?: NormalizationOptions & { momentum?: number }): Layer;
  layerNormalization(options?: NormalizationOptions): Layer;
  concatenate(options?: LayerOptions): Layer;
  add(options?: LayerOptions): Layer;
  flatten(options?: LayerOptions): Layer;
  reLU(options?: LayerOptions & { maxValue?: number }): Layer;
  leakyReLU(options?: LayerOptions & { alpha?: number }): Layer;
  elu(options?: LayerOptions & { alpha?: number }): Layer;
  softmax(options?: LayerOptions): Layer;
}

/** Activations that a layer takes by name; the leaky one is a layer of its own (`leakyReLU`). */
export type LayerActivation = Exclude<Activation, 'leakyRelu'>;

export interface LayerOptions {
  /** Kept in the artifact; a warm start carries weights over by this name. */
  name?: string;
  trainable?: boolean;
}

export interface DenseOptions extends LayerOptions {
  units: number;
  activation?: LayerActivation;
  useBias?: boolean;
  kernelInitializer?: unknown;
  biasInitializer?: unknown;
  kernelRegularizer?: unknown;
  biasRegularizer?: unknown;
}

export interface EmbeddingOptions extends LayerOptions {
  /** Rows of the table: the feature's `size`. */
  inputDim: number;
  outputDim: number;
  embeddingsInitializer?: unknown;
  embeddingsRegularizer?: unknown;
}

export interface NormalizationOptions extends LayerOptions {
  epsilon?: number;
  center?: boolean;
  scale?: boolean;
}
