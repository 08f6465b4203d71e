import * as tf from '@tensorflow/tfjs-core';
import { layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ACTIVATIONS, type FittedLabel } from '@perennial/contract';
import type { EncoderLayout } from '@perennial/onnx';
import fc from 'fast-check';
import { RandomStream } from '../fit/random.ts';
import { DENSE_INPUT, networkInputs, outputWidth } from '../network/layout.ts';

const layerActivation = fc.constantFrom(...ACTIVATIONS.filter((name) => name !== 'leakyRelu'));

/** One layer after another, of every kind that can be exported. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('dense' as const),
    units: fc.integer({ min: 1, max: 60 }),
    activation: layerActivation,
    useBias: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('activation' as const), activation: layerActivation }),
  fc.record({ kind: fc.constant('leakyReLU' as const), alpha: fc.constantFrom(0.05, 0.3) }),
  fc.record({ kind: fc.constant('reLU' as const), maxValue: fc.constantFrom(undefined, 6) }),
  fc.constantFrom({ kind: 'elu' as const }, { kind: 'softmax' as const }, { kind: 'dropout' as const }),
  fc.record({
    kind: fc.constantFrom('batchNormalization' as const, 'layerNormalization' as const),
    center: fc.boolean(),
    scale: fc.boolean(),
  }),
  /** The step's input added to, or put beside, a dense layer of it. */
  fc.constantFrom({ kind: 'add' as const }, { kind: 'concatenate' as const }),
);
export type NetworkStep = typeof step extends fc.Arbitrary<infer Step> ? Step : never;

export interface NetworkPlan {
  steps: NetworkStep[];
  /** Of the weights. */
  seed: number;
}
export const randomPlan: fc.Arbitrary<NetworkPlan> = fc.record({
  steps: fc.array(step, { maxLength: 6 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

/** Builds the network of a plan, with random weights in all of it. */
export function networkOf(plan: NetworkPlan, layout: EncoderLayout, label: FittedLabel): LayersModel {
  const inputs = networkInputs(layout);
  const parts = layout.embeddings.map(({ feature, size, dimension }) => {
    const table = layers.embedding({ inputDim: size, outputDim: dimension });
    return apply(layers.flatten(), apply(table, inputs.get(feature)!));
  });
  const dense = inputs.get(DENSE_INPUT);
  if (dense !== undefined) parts.push(dense);
  let tensor = parts.length === 1 ? parts[0]! : apply(layers.concatenate(), parts);
  for (const next of plan.steps) tensor = grown(next, tensor);
  const activation = { binary: 'sigmoid', multiclass: 'softmax', regression: 'linear' } as const;
  const head = layers.dense({ units: outputWidth(label), activation: activation[label.kind] });
  const built = model({ inputs: [...inputs.values()], outputs: apply(head, tensor) });
  randomizeWeights(built, plan.seed);
  return built;
}

function grown(next: NetworkStep, tensor: SymbolicTensor): SymbolicTensor {
  switch (next.kind) {
    case 'dense':
      return apply(layers.dense(next), tensor);
    case 'activation':
      return apply(layers.activation(next), tensor);
    case 'leakyReLU':
      return apply(layers.leakyReLU(next), tensor);
    case 'reLU':
      return apply(layers.reLU(next.maxValue === undefined ? {} : { maxValue: next.maxValue }), tensor);
    case 'elu':
      return apply(layers.elu(), tensor);
    case 'softmax':
      return apply(layers.softmax(), tensor);
    case 'dropout':
      return apply(layers.dropout({ rate: 0.5 }), tensor);
    case 'batchNormalization':
      return apply(layers.batchNormalization(next), tensor);
    case 'layerNormalization':
      return apply(layers.layerNormalization(next), tensor);
    case 'add':
      return apply(layers.add(), [tensor, apply(layers.dense({ units: tensor.shape[1]! }), tensor)]);
    case 'concatenate':
      return apply(layers.concatenate(), [tensor, apply(layers.dense({ units: 5 }), tensor)]);
  }
}

function apply(layer: layers.Layer, tensor: SymbolicTensor | SymbolicTensor[]): SymbolicTensor {
  return layer.apply(tensor) as SymbolicTensor;
}

/** Fresh weights hide mistakes: a bias of zero, a variance of one. */
function randomizeWeights(built: LayersModel, seed: number): void {
  const random = new RandomStream(seed);
  for (const weight of built.weights) {
    const { shape, size } = weight.read();
    const spread = 1 / Math.sqrt(shape.length > 1 ? shape[0] : 1);
    const isVariance = weight.originalName.endsWith('moving_variance');
    const numbers = Float32Array.from({ length: size }, () =>
      isVariance ? 0.5 + random.float() : (random.float() * 2 - 1) * spread,
    );
    tf.tidy(() => void weight.write(tf.tensor(numbers, shape)));
  }
}
