import type { LayersModel, SymbolicTensor, layers as layerTypes } from '@tensorflow/tfjs-layers';
import { tfLayers } from '../tensorflow.ts';

/** A network up to its logits. */
export interface LogitsNetwork {
  model: LayersModel;
  /** Frees what it has for itself; the network's own weights stay. */
  dispose: () => void;
}

/** Whether a classifier ends in sigmoid or softmax. One that ends in a hard sigmoid has no logits. */
export function hasLogits(model: LayersModel): boolean {
  const { sourceLayer: last } = model.outputs[0]!;
  const activation: unknown = last.getConfig()['activation'];
  return last.getClassName() === 'Softmax' || activation === 'sigmoid' || activation === 'softmax';
}

/**
 * The part of a fitted classifier before its last activation, where {@link hasLogits}. A probability alone does not tell its logit once float32
 * has rounded it to 1.
 */
export function logitsNetwork(model: LayersModel): LogitsNetwork {
  const { sourceLayer: last, nodeIndex } = model.outputs[0]!;
  const input = last.inboundNodes[nodeIndex]!.inputTensors[0]!;
  return last.getClassName() === 'Dense' ? throughDense(model, last, input) : upTo(model, input);
}

function upTo(model: LayersModel, outputs: SymbolicTensor): LogitsNetwork {
  return { model: tfLayers.model({ inputs: model.inputs, outputs }), dispose: () => undefined };
}

/** The same layer with the same weights, without its activation. */
function throughDense(model: LayersModel, last: layerTypes.Layer, input: SymbolicTensor): LogitsNetwork {
  const weights = last.getWeights();
  const dense = tfLayers.layers.dense({
    units: weights[0]!.shape[1]!,
    useBias: weights.length === 2,
    kernelInitializer: 'zeros',
  });
  const logits = dense.apply(input) as SymbolicTensor;
  dense.setWeights(weights);
  return { ...upTo(model, logits), dispose: () => void dense.dispose() };
}
