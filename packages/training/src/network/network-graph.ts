import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { FittedLabel } from '@perennial/contract';
import type { EncoderLayout, NetworkGraph, NetworkInput, NetworkLayer } from '@perennial/onnx';
import { NetworkShapeError } from '../errors.ts';
import { operationOf } from './layer-operation.ts';
import { DENSE_INPUT, outputWidth } from './layout.ts';
import { walkNetwork } from './walk.ts';

/**
 * A network of TensorFlow.js in the neutral form that is written into artifacts, with its present weights. Also the check that a
 * custom network can be exported, so it is made once before fitting.
 *
 * @throws UnsupportedLayerError for a layer without an operation
 * @throws NetworkShapeError when inputs or output do not fit encoder and label
 */
export function networkGraph(model: LayersModel, layout: EncoderLayout, label: FittedLabel): NetworkGraph {
  requireOutput(model, label);
  const inputs = inputsOf(layout);
  const nameOfInput = inputNames(model, inputs);
  const { uses, output } = walkNetwork(model, nameOfInput);
  const layers = uses.map((use): NetworkLayer => ({
    name: use.name,
    inputs: use.inputs,
    ...operationOf(use),
  }));
  const graph = {
    inputs: inputs.filter(({ name }) => uses.some((use) => use.inputs.includes(name))),
    layers,
    output,
  };
  requireIndicesOnlyInEmbeddings(graph);
  requireProbabilities(graph, label);
  return graph;
}

/** What the encoder gives a network to read. */
export function inputsOf({ denseWidth, embeddings }: EncoderLayout): NetworkInput[] {
  const indices = embeddings.map(({ feature }): NetworkInput => ({
    name: feature,
    kind: 'indices',
    width: 1,
  }));
  return denseWidth === 0 ? indices : [{ name: DENSE_INPUT, kind: 'dense', width: denseWidth }, ...indices];
}

/** The network's inputs in its own order, by the names of what is fed to them. */
export function inputNames(
  model: LayersModel,
  inputs: readonly NetworkInput[],
): (tensor: SymbolicTensor) => string {
  return (tensor) => {
    const named = inputs.find(({ name }) => name === tensor.sourceLayer.name);
    // A sequential network makes its own input; where there is nothing to mistake it for, it is taken.
    const only = model.inputs.length === 1 && inputs.length === 1 ? inputs[0] : undefined;
    const found = named ?? only;
    if (found === undefined) {
      throw new NetworkShapeError(
        `it reads '${tensor.sourceLayer.name}', which is none of its inputs (${inputs.map(({ name }) => name).join(', ')})`,
      );
    }
    const width = tensor.shape[1] ?? null;
    if (tensor.shape.length === 2 && width === found.width) return found.name;
    throw new NetworkShapeError(
      `its input '${found.name}' has shape ${shapeText(tensor.shape)} and not [rows, ${found.width}]`,
    );
  };
}

function requireOutput(model: LayersModel, label: FittedLabel): void {
  if (model.outputs.length !== 1)
    throw new NetworkShapeError(`it has ${model.outputs.length} outputs and not one`);
  const { shape } = model.outputs[0]!;
  const width = outputWidth(label);
  if (shape.length === 2 && shape[1] === width) return;
  throw new NetworkShapeError(
    `its output has shape ${shapeText(shape)} and not [rows, ${width}], as the ${label.kind} label '${label.name}' needs`,
  );
}

function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? 'rows').join(', ')}]`;
}

function requireIndicesOnlyInEmbeddings({ inputs, layers }: NetworkGraph): void {
  const indices = inputs.filter(({ kind }) => kind === 'indices').map(({ name }) => name);
  for (const layer of layers) {
    const reads = layer.inputs.filter((name) => indices.includes(name));
    if (layer.kind === 'embedding' && reads.length === 0) {
      throw new NetworkShapeError(
        `the embedding '${layer.name}' reads '${layer.inputs.join()}', which holds no indices`,
      );
    }
    if (layer.kind !== 'embedding' && reads.length > 0) {
      throw new NetworkShapeError(
        `the layer '${layer.name}' reads the indices '${reads[0]}', which only an embedding can`,
      );
    }
  }
}

/** A classifier that ends in logits would be fitted and served as if they were probabilities. */
function requireProbabilities({ layers, output }: NetworkGraph, label: FittedLabel): void {
  const needed = { binary: ['sigmoid', 'hardSigmoid'], multiclass: ['softmax'], regression: null }[
    label.kind
  ];
  const last = layers.find(({ name }) => name === output)!;
  const activation = last.kind === 'dense' || last.kind === 'activation' ? last.activation : last.kind;
  if (needed === null || needed.includes(activation)) return;
  throw new NetworkShapeError(
    `it ends in '${activation}', but the ${label.kind} label '${label.name}' needs probabilities: end it with a ${needed[0]}`,
  );
}
