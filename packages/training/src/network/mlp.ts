import type { LayersModel, SymbolicTensor, layers as layerTypes } from '@tensorflow/tfjs-layers';
import type { Activation, FittedLabel, NetworkTrainSpec } from '@perennial/contract';
import type { EncoderLayout } from '@perennial/onnx';
import { tfLayers } from '../tensorflow.ts';
import { DENSE_INPUT, outputWidth, type NetworkInputs } from './layout.ts';

const { initializers, layers, model } = tfLayers;

export type MlpSpec = Extract<NetworkTrainSpec, { kind: 'mlp' }>;

export interface MlpTask {
  spec: MlpSpec;
  layout: EncoderLayout;
  label: FittedLabel;
  inputs: NetworkInputs;
}

/**
 * A multi-layer perceptron: embeddings beside the float columns, hidden layers, and a head for the label. Every layer has a fixed
 * name, by which a warm start finds its weights. Dropout takes no seed, as a seeded one repeats one mask in every step; its
 * randomness is the process's own, which is seeded (see `seedProcess`).
 */
export function buildMlp({ spec, layout, label, inputs }: MlpTask): LayersModel {
  const seeds = new SeedSequence(spec.seed);
  let tensor = joined(embedded(layout, inputs, seeds));
  spec.hidden.forEach((units, i) => {
    tensor = hiddenLayer({ name: `hidden_${i + 1}`, units, tensor, spec, seed: seeds.next() });
  });
  const head = layers.dense({
    name: 'output',
    units: outputWidth(label),
    activation: HEAD_ACTIVATION[label.kind],
    kernelInitializer: initializers.glorotUniform({ seed: seeds.next() }),
  });
  return model({ inputs: [...inputs.values()], outputs: apply(head, tensor) });
}

const HEAD_ACTIVATION = { binary: 'sigmoid', multiclass: 'softmax', regression: 'linear' } as const;

/** A seed of its own for each initialiser: the same one twice would start layers of one shape at the same weights. */
class SeedSequence {
  #next: number;

  constructor(seed: number) {
    // 2^31 is the largest seed that every initialiser takes; the factor is odd, so different seeds stay apart.
    this.#next = (Math.imul(seed, 0x9e3779b1) >>> 1) + 1;
  }

  next(): number {
    return this.#next++;
  }
}

function embedded(
  { embeddings }: EncoderLayout,
  inputs: NetworkInputs,
  seeds: SeedSequence,
): SymbolicTensor[] {
  const dense = inputs.get(DENSE_INPUT);
  const parts = embeddings.map(({ feature, size, dimension }) => {
    const table = layers.embedding({
      name: `embedding_${feature}`,
      inputDim: size,
      outputDim: dimension,
      embeddingsInitializer: initializers.randomUniform({ minval: -0.05, maxval: 0.05, seed: seeds.next() }),
    });
    return apply(layers.flatten({ name: `flatten_${feature}` }), apply(table, inputs.get(feature)!));
  });
  return dense === undefined ? parts : [dense, ...parts];
}

function joined(parts: SymbolicTensor[]): SymbolicTensor {
  const [only] = parts;
  return parts.length === 1 ? only! : apply(layers.concatenate({ name: 'features' }), parts);
}

interface HiddenLayer {
  name: string;
  units: number;
  tensor: SymbolicTensor;
  spec: MlpSpec;
  seed: number;
}

/** Dense, then normalisation where asked for, then the activation, then dropout. */
function hiddenLayer({ name, units, tensor, spec, seed }: HiddenLayer): SymbolicTensor {
  const kernelInitializer = initializers.glorotUniform({ seed });
  const plain = !spec.batchNormalization && spec.activation !== 'leakyRelu';
  if (plain && spec.activation !== 'leakyRelu') {
    const dense = layers.dense({ name, units, activation: spec.activation, kernelInitializer });
    return dropped(apply(dense, tensor), name, spec.dropout);
  }
  let output = apply(layers.dense({ name, units, kernelInitializer }), tensor);
  if (spec.batchNormalization) {
    output = apply(layers.batchNormalization({ name: `${name}_normalization` }), output);
  }
  return dropped(apply(activationLayer(`${name}_activation`, spec.activation), output), name, spec.dropout);
}

function activationLayer(name: string, activation: Activation): layerTypes.Layer {
  return activation === 'leakyRelu' ? layers.leakyReLU({ name }) : layers.activation({ name, activation });
}

function dropped(tensor: SymbolicTensor, name: string, rate: number): SymbolicTensor {
  return rate === 0 ? tensor : apply(layers.dropout({ name: `${name}_dropout`, rate }), tensor);
}

function apply(layer: layerTypes.Layer, tensor: SymbolicTensor | SymbolicTensor[]): SymbolicTensor {
  return layer.apply(tensor) as SymbolicTensor;
}
