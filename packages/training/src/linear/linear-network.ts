import type { Activation, FittedLabel } from '@perennial/contract';
import type { EncoderLayout, NetworkGraph, NetworkLayer, WeightTensor } from '@perennial/onnx';
import { inputsOf } from '../network/network-graph.ts';
import { DENSE_INPUT } from '../network/layout.ts';
import type { LinearModel } from './fit-linear.ts';

const ACTIVATION: Record<FittedLabel['kind'], Activation> = {
  binary: 'sigmoid',
  multiclass: 'softmax',
  regression: 'linear',
};

/** A linear model as a network without hidden layers: the dense columns' product and each category's weights, added up. */
export function linearNetwork(model: LinearModel, layout: EncoderLayout, label: FittedLabel): NetworkGraph {
  const { denseWidth, embeddings } = layout;
  const summands = embeddings.map(({ feature }) => `flatten_${feature}`);
  const layers = embeddings.flatMap(({ feature }, i) => {
    // Every row has one category of each feature: where no columns are there to hold it, the bias goes into the first one's table.
    const added = denseWidth === 0 && i === 0 ? model.bias : null;
    return tableLayers(feature, shifted(model.tables.get(feature)!, added), model.width);
  });
  if (denseWidth > 0) {
    summands.unshift('columns');
    layers.unshift(denseLayer(model, denseWidth));
  }
  const [only] = summands;
  if (summands.length > 1) layers.push({ name: 'sum', inputs: summands, kind: 'add' });
  const last = summands.length > 1 ? 'sum' : only!;
  const activation = ACTIVATION[label.kind];
  layers.push({ name: 'output', inputs: [last], kind: 'activation', activation });
  return { inputs: inputsOf(layout), layers, output: 'output' };
}

function denseLayer({ kernel, bias, width }: LinearModel, denseWidth: number): NetworkLayer {
  return {
    name: 'columns',
    inputs: [DENSE_INPUT],
    kind: 'dense',
    kernel: weights(kernel, [denseWidth, width]),
    bias: weights(bias, [width]),
    activation: 'linear',
  };
}

function tableLayers(feature: string, table: Float64Array, width: number): NetworkLayer[] {
  const name = `embedding_${feature}`;
  return [
    { name, inputs: [feature], kind: 'embedding', table: weights(table, [table.length / width, width]) },
    { name: `flatten_${feature}`, inputs: [name], kind: 'flatten' },
  ];
}

function shifted(table: Float64Array, by: Float64Array | null): Float64Array {
  return by === null ? table : table.map((weight, i) => weight + by[i % by.length]!);
}

function weights(numbers: Float64Array, shape: number[]): WeightTensor {
  return { shape, data: Float32Array.from(numbers) };
}
