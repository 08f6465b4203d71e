import { takesAlpha, writeActivation } from './activations.ts';
import { UnsupportedLayerError } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { NetworkLayer, WeightTensor } from './network.ts';

/** A tensor between layers: floats of shape `[rows, width]` or `[rows, 1, width]`, or indices `[rows, 1]` below `size`. */
export type LayerValue =
  | { kind: 'float'; tensor: string; rank: 2 | 3; width: number }
  | { kind: 'indices'; tensor: string; rank: 2; width: 1; size: number };
type FloatValue = Extract<LayerValue, { kind: 'float' }>;
type Layer<Kind extends NetworkLayer['kind']> = Extract<NetworkLayer, { kind: Kind }>;

/** What a weight is in its layer. Weights are constants named `<layer>/<role>`. */
export const WEIGHT_ROLES = ['kernel', 'bias', 'gamma', 'beta', 'mean', 'variance', 'table'] as const;
export type WeightRole = (typeof WEIGHT_ROLES)[number];

/** Writes one layer. @throws UnsupportedLayerError naming the layer and what about it cannot be. */
export function writeLayer(graph: GraphBuilder, layer: NetworkLayer, inputs: LayerValue[]): LayerValue {
  switch (layer.kind) {
    case 'dense':
      return writeDense(graph, layer, floatInput(layer, inputs));
    case 'activation':
      return writeActivationLayer(graph, layer, floatInput(layer, inputs));
    case 'batchNormalization':
      return writeBatchNormalization(graph, layer, floatInput(layer, inputs));
    case 'layerNormalization':
      return writeLayerNormalization(graph, layer, floatInput(layer, inputs));
    case 'dropout':
      return floatInput(layer, inputs);
    case 'concatenate':
      return writeConcatenate(graph, layer, inputs);
    case 'add':
      return writeAdd(graph, layer, inputs);
    case 'embedding':
      return writeEmbedding(graph, layer, inputs);
    case 'flatten':
      return writeFlatten(graph, floatInput(layer, inputs));
  }
}

function writeDense(graph: GraphBuilder, layer: Layer<'dense'>, input: FloatValue): LayerValue {
  const [inner, width] = layer.kernel.shape;
  if (layer.kernel.shape.length !== 2 || inner !== input.width || width === undefined) {
    throw new UnsupportedLayerError(
      layer.name,
      `its kernel is ${describeShape(layer.kernel)} behind an input ${input.width} wide`,
    );
  }
  const kernel = writeWeight(graph, layer.name, {
    role: 'kernel',
    weight: layer.kernel,
    shape: [inner, width],
  });
  const bias =
    layer.bias && writeWeight(graph, layer.name, { role: 'bias', weight: layer.bias, shape: [width] });
  const product = writeProduct(graph, input, { kernel, bias });
  return { ...input, tensor: writeActivation(graph, product, { activation: layer.activation }), width };
}

function writeProduct(
  graph: GraphBuilder,
  input: FloatValue,
  weights: { kernel: string; bias: string | undefined },
): string {
  const { kernel, bias } = weights;
  // Gemm takes matrices only, but the runtime fuses it with its bias and activation: one kernel in place of three.
  if (input.rank === 2)
    return graph.node('Gemm', bias ? [input.tensor, kernel, bias] : [input.tensor, kernel]);
  const product = graph.node('MatMul', [input.tensor, kernel]);
  return bias ? graph.node('Add', [product, bias]) : product;
}

function writeActivationLayer(
  graph: GraphBuilder,
  layer: Layer<'activation'>,
  input: FloatValue,
): LayerValue {
  if (layer.alpha !== undefined && !takesAlpha(layer.activation)) {
    throw new UnsupportedLayerError(layer.name, `the activation ${layer.activation} takes no alpha`);
  }
  return { ...input, tensor: writeActivation(graph, input.tensor, layer) };
}

/**
 * x · f + (β − μ · f) with f = γ / √(σ² + ε) (Ioffe and Szegedy, "Batch Normalization", 2015). The runtime computes factor and
 * offset once, at load. ONNX's own operator normalises the second axis, which is not the last one behind an embedding.
 */
function writeBatchNormalization(
  graph: GraphBuilder,
  layer: Layer<'batchNormalization'>,
  input: FloatValue,
): LayerValue {
  const weight = vectorWriter(graph, layer.name, input.width);
  const epsilon = graph.constant(Float32Array.of(layer.epsilon), []);
  const deviation = graph.node('Sqrt', [graph.node('Add', [weight('variance', layer.variance), epsilon])]);
  const gamma = layer.gamma ? weight('gamma', layer.gamma) : graph.constant(Float32Array.of(1), []);
  const factor = graph.node('Div', [gamma, deviation]);
  const shift = graph.node('Mul', [weight('mean', layer.mean), factor]);
  const offset = layer.beta
    ? graph.node('Sub', [weight('beta', layer.beta), shift])
    : graph.node('Neg', [shift]);
  return { ...input, tensor: graph.node('Add', [graph.node('Mul', [input.tensor, factor]), offset]) };
}

/** Ba et al., "Layer Normalization", 2016, over the last axis. */
function writeLayerNormalization(
  graph: GraphBuilder,
  layer: Layer<'layerNormalization'>,
  input: FloatValue,
): LayerValue {
  const weight = vectorWriter(graph, layer.name, input.width);
  const gamma = layer.gamma
    ? weight('gamma', layer.gamma)
    : graph.constant(new Float32Array(input.width).fill(1), [input.width]);
  const beta = layer.beta ? [weight('beta', layer.beta)] : [];
  const tensor = graph.node('LayerNormalization', [input.tensor, gamma, ...beta], {
    attributes: { axis: { int: -1 }, epsilon: { float: layer.epsilon } },
  });
  return { ...input, tensor };
}

function writeConcatenate(
  graph: GraphBuilder,
  layer: Layer<'concatenate'>,
  inputs: LayerValue[],
): LayerValue {
  const { first, floats } = sameRank(layer, inputs);
  const width = floats.reduce((sum, value) => sum + value.width, 0);
  return { ...first, tensor: graph.sideBySide(floats.map(({ tensor }) => tensor)), width };
}

function writeAdd(graph: GraphBuilder, layer: Layer<'add'>, inputs: LayerValue[]): LayerValue {
  const { first, floats } = sameRank(layer, inputs);
  if (floats.some(({ width }) => width !== first.width)) {
    const widths = floats.map(({ width }) => width).join(', ');
    throw new UnsupportedLayerError(layer.name, `it adds inputs of different widths (${widths})`);
  }
  const tensors = floats.map(({ tensor }) => tensor);
  return { ...first, tensor: graph.node('Sum', tensors) };
}

function writeEmbedding(graph: GraphBuilder, layer: Layer<'embedding'>, inputs: LayerValue[]): LayerValue {
  const [input] = inputs;
  if (inputs.length !== 1 || input?.kind !== 'indices') {
    throw new UnsupportedLayerError(layer.name, 'an embedding reads the indices of one feature');
  }
  const [size, width] = layer.table.shape;
  if (layer.table.shape.length !== 2 || size === undefined || width === undefined || size < input.size) {
    const shape = describeShape(layer.table);
    throw new UnsupportedLayerError(layer.name, `its table is ${shape} for ${input.size} indices`);
  }
  const table = writeWeight(graph, layer.name, { role: 'table', weight: layer.table, shape: [size, width] });
  return { kind: 'float', tensor: graph.node('Gather', [table, input.tensor]), rank: 3, width };
}

function writeFlatten(graph: GraphBuilder, input: FloatValue): LayerValue {
  if (input.rank === 2) return input;
  return {
    ...input,
    tensor: graph.node('Flatten', [input.tensor], { attributes: { axis: { int: 1 } } }),
    rank: 2,
  };
}

function floatInput(layer: NetworkLayer, inputs: LayerValue[]): FloatValue {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw new UnsupportedLayerError(layer.name, `${layer.kind} has one input, not ${inputs.length}`);
  }
  return asFloat(layer, input);
}

function asFloat(layer: NetworkLayer, value: LayerValue): FloatValue {
  if (value.kind === 'float') return value;
  throw new UnsupportedLayerError(layer.name, `${layer.kind} cannot read indices; an embedding can`);
}

function sameRank(layer: NetworkLayer, inputs: LayerValue[]): { first: FloatValue; floats: FloatValue[] } {
  const floats = inputs.map((input) => asFloat(layer, input));
  const [first] = floats;
  if (first === undefined) throw new UnsupportedLayerError(layer.name, `${layer.kind} has no input`);
  if (floats.some(({ rank }) => rank !== first.rank)) {
    throw new UnsupportedLayerError(layer.name, 'its inputs differ in rank; a flatten is missing');
  }
  return { first, floats };
}

/** Writes weights of one number per column of the layer's input. */
function vectorWriter(graph: GraphBuilder, layer: string, width: number) {
  return (role: WeightRole, weight: WeightTensor) =>
    writeWeight(graph, layer, { role, weight, shape: [width] });
}

function writeWeight(
  graph: GraphBuilder,
  layer: string,
  given: { role: WeightRole; weight: WeightTensor; shape: number[] },
): string {
  const { role, weight, shape } = given;
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (weight.shape.join() !== shape.join() || weight.data.length !== size) {
    throw new UnsupportedLayerError(
      layer,
      `its ${role} is ${describeShape(weight)} with ${weight.data.length} numbers, not [${shape.join(', ')}]`,
    );
  }
  return graph.weight(`${layer}/${role}`, weight);
}

function describeShape(weight: WeightTensor): string {
  return `[${weight.shape.join(', ')}]`;
}
