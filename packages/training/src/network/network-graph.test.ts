import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model,
  sequential,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import type { FittedLabel } from '@perennial/contract';
import type { EncoderLayout } from '@perennial/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import { cpuBackend } from '../backends/cpu-backend.ts';
import { NetworkShapeError, UnsupportedLayerError } from '../errors.ts';
import { BINARY, LAYOUT } from '../testing/learnable-task.ts';
import { networkInputs } from './layout.ts';
import { SUPPORTED_LAYERS } from './layer-operation.ts';
import { networkGraph } from './network-graph.ts';

const MULTICLASS: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['a', 'b', 'c'] };
const DENSE_ONLY: EncoderLayout = { denseWidth: 3, denseColumns: ['a', 'b', 'c'], embeddings: [] };

beforeAll(async () => {
  await cpuBackend.start();
});

/** A network that passes the dense input through some layers and ends in a sigmoid. */
function through(...middle: layers.Layer[]): LayersModel {
  const dense = networkInputs(LAYOUT).get('dense')!;
  const head = layers.dense({ units: 1, activation: 'sigmoid', name: 'head' });
  const outputs = [...middle, head].reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, dense);
  return model({ inputs: dense, outputs });
}

describe('a network that cannot be exported', () => {
  it.each([
    ['PReLU', () => layers.prelu({ name: 'odd' })],
    ['GaussianNoise', () => layers.gaussianNoise({ stddev: 1, name: 'odd' })],
    ['ReLU with maxValue 3', () => layers.reLU({ maxValue: 3, name: 'odd' })],
    ["Dense with activation 'mish'", () => layers.dense({ units: 2, activation: 'mish', name: 'odd' })],
    [
      "Activation with activation 'gelu_new'",
      () => layers.activation({ activation: 'gelu_new', name: 'odd' }),
    ],
  ])('is refused by name for a %s', (kind, layer) => {
    const export_ = () => networkGraph(through(layer()), LAYOUT, BINARY);
    expect(export_).toThrow(UnsupportedLayerError);
    expect(export_).toThrow(
      `The layer 'odd' is a ${kind}, which cannot be exported. Supported: ${SUPPORTED_LAYERS.join(', ')}.`,
    );
  });

  it('is refused for a normalisation along rows of a sequence', () => {
    const place = networkInputs(LAYOUT).get('place')!;
    const table = layers.embedding({ inputDim: 12, outputDim: 1 }).apply(place) as SymbolicTensor;
    const odd = layers.batchNormalization({ axis: 1, name: 'odd' }).apply(table) as SymbolicTensor;
    const flat = layers.flatten().apply(odd) as SymbolicTensor;
    const built = model({
      inputs: place,
      outputs: layers.dense({ units: 1, activation: 'sigmoid' }).apply(flat) as SymbolicTensor,
    });
    expect(() => networkGraph(built, LAYOUT, BINARY)).toThrow('BatchNormalization along axis 1');
  });
});

describe('a network that does not fit the pipeline', () => {
  const dense = () => networkInputs(LAYOUT).get('dense')!;
  const place = () => networkInputs(LAYOUT).get('place')!;
  const ended = (inputs: SymbolicTensor, layer: layers.Layer) =>
    model({ inputs, outputs: layer.apply(inputs) as SymbolicTensor });

  it.each<[string, () => LayersModel, FittedLabel]>([
    [
      'has shape [rows, 2] and not [rows, 1]',
      () => ended(dense(), layers.dense({ units: 2, activation: 'softmax' })),
      BINARY,
    ],
    [
      'has shape [rows, 1] and not [rows, 3]',
      () => ended(dense(), layers.dense({ units: 1, activation: 'sigmoid' })),
      MULTICLASS,
    ],
    ["ends in 'linear'", () => ended(dense(), layers.dense({ units: 1 })), BINARY],
    [
      "ends in 'sigmoid'",
      () => ended(dense(), layers.dense({ units: 3, activation: 'sigmoid' })),
      MULTICLASS,
    ],
    [
      "reads 'stranger'",
      () => ended(input({ shape: [3], name: 'stranger' }), layers.dense({ units: 1, activation: 'sigmoid' })),
      BINARY,
    ],
    [
      "input 'dense' has shape [rows, 4]",
      () => ended(input({ shape: [4], name: 'dense' }), layers.dense({ units: 1, activation: 'sigmoid' })),
      BINARY,
    ],
    [
      "reads the indices 'place'",
      () => ended(place(), layers.dense({ units: 1, activation: 'sigmoid' })),
      BINARY,
    ],
  ])('is refused where it %s', (message, build, label) => {
    const export_ = () => networkGraph(build(), LAYOUT, label);
    expect(export_).toThrow(NetworkShapeError);
    expect(export_).toThrow(message);
  });

  it('is refused where an embedding reads float columns', () => {
    const from = dense();
    const built = [
      layers.embedding({ inputDim: 5, outputDim: 2, name: 'table' }),
      layers.flatten(),
      layers.dense({ units: 1, activation: 'sigmoid' }),
    ].reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, from);
    const wrong = model({ inputs: from, outputs: built });
    expect(() => networkGraph(wrong, LAYOUT, BINARY)).toThrow("the embedding 'table' reads 'dense'");
  });

  it('is refused where it has two outputs', () => {
    const from = dense();
    const outputs = [1, 2].map(() => layers.dense({ units: 1 }).apply(from) as SymbolicTensor);
    expect(() => networkGraph(model({ inputs: from, outputs }), LAYOUT, BINARY)).toThrow('has 2 outputs');
  });

  it('is refused where an embedding feature is called as the float columns are', () => {
    const layout = { ...LAYOUT, embeddings: [{ feature: 'dense', size: 3, dimension: 2 }] };
    expect(() => networkInputs(layout)).toThrow("cannot be called 'dense'");
  });
});

describe('a network', () => {
  it('may be sequential where there is one input only', () => {
    const built = sequential();
    built.add(layers.dense({ units: 4, inputShape: [3], activation: 'relu', name: 'first' }));
    built.add(layers.dense({ units: 1, activation: 'sigmoid', name: 'second' }));
    const graph = networkGraph(built, DENSE_ONLY, BINARY);
    expect(graph.layers.map(({ name, inputs }) => [name, inputs])).toEqual([
      ['first', ['dense']],
      ['second', ['first']],
    ]);
  });

  it('may leave an input out', () => {
    expect(networkGraph(through(), LAYOUT, BINARY).inputs).toEqual([
      { name: 'dense', kind: 'dense', width: 3 },
    ]);
  });

  it('may use one layer twice, under two names', () => {
    const shared = layers.dense({ units: 3, activation: 'relu', name: 'shared' });
    const graph = networkGraph(through(shared, shared), LAYOUT, BINARY);
    expect(graph.layers.map(({ name, inputs }) => [name, inputs[0]])).toEqual([
      ['shared', 'dense'],
      ['shared_2', 'shared'],
      ['head', 'shared_2'],
    ]);
  });

  it('is read without leaving tensors behind', () => {
    const built = through(layers.layerNormalization(), layers.batchNormalization());
    const before = tf.memory().numTensors;
    networkGraph(built, LAYOUT, BINARY);
    expect(tf.memory().numTensors).toBe(before);
  });
});
