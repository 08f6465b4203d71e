import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { ACTIVATIONS, type Activation } from '@perennial/contract';
import type { NetworkOperation, WeightTensor } from '@perennial/onnx';
import { UnsupportedLayerError } from '../errors.ts';
import type { LayerUse } from './walk.ts';

/** What can be exported, as the error for anything else lists it. */
export const SUPPORTED_LAYERS = [
  'Dense',
  'Embedding',
  'BatchNormalization',
  'LayerNormalization',
  'Activation',
  'ReLU',
  'LeakyReLU',
  'ELU',
  'Softmax',
  'Dropout',
  'Flatten',
  'Concatenate',
  'Add',
] as const;
type SupportedLayer = (typeof SUPPORTED_LAYERS)[number];

/**
 * A layer of TensorFlow.js as an operation of the neutral network, with its present weights.
 *
 * @throws UnsupportedLayerError for a layer, or an option of one, that has no such operation
 */
export function operationOf(use: LayerUse): NetworkOperation {
  const kind = use.layer.getClassName();
  if (!isSupported(kind)) throw refused(use, kind);
  return OPERATIONS[kind](use);
}

function isSupported(kind: string): kind is SupportedLayer {
  return (SUPPORTED_LAYERS as readonly string[]).includes(kind);
}

const OPERATIONS: Record<SupportedLayer, (use: LayerUse) => NetworkOperation> = {
  Dense: (use) => ({
    kind: 'dense',
    ...dense(use),
    activation: activationOf(use, configOf(use)['activation']),
  }),
  Embedding: (use) => ({ kind: 'embedding', table: weights(use).table! }),
  BatchNormalization: (use) => {
    requireLastAxis(use);
    const { gamma, beta, mean, variance } = weights(use);
    return {
      kind: 'batchNormalization',
      ...affine({ gamma, beta }),
      mean: mean!,
      variance: variance!,
      epsilon: epsilonOf(use),
    };
  },
  LayerNormalization: (use) => {
    requireLastAxis(use);
    return { kind: 'layerNormalization', ...affine(weights(use)), epsilon: epsilonOf(use) };
  },
  Activation: (use) => ({ kind: 'activation', activation: activationOf(use, configOf(use)['activation']) }),
  ReLU: (use) => ({ kind: 'activation', activation: rectifier(use) }),
  LeakyReLU: (use) => ({
    kind: 'activation',
    activation: 'leakyRelu',
    alpha: configOf(use)['alpha'] as number,
  }),
  ELU: () => ({ kind: 'activation', activation: 'elu' }),
  Softmax: (use) => {
    requireLastAxis(use);
    return { kind: 'activation', activation: 'softmax' };
  },
  Dropout: () => ({ kind: 'dropout' }),
  Flatten: () => ({ kind: 'flatten' }),
  Concatenate: (use) => {
    requireLastAxis(use);
    return { kind: 'concatenate' };
  },
  Add: () => ({ kind: 'add' }),
};

function dense(use: LayerUse): { kernel: WeightTensor; bias?: WeightTensor } {
  const { kernel, bias } = weights(use);
  return bias === undefined ? { kernel: kernel! } : { kernel: kernel!, bias };
}

function affine({ gamma, beta }: { gamma?: WeightTensor | undefined; beta?: WeightTensor | undefined }) {
  return { ...(gamma === undefined ? {} : { gamma }), ...(beta === undefined ? {} : { beta }) };
}

/** What TensorFlow.js calls otherwise than the neutral network. */
const ROLES: Partial<Record<string, string>> = {
  embeddings: 'table',
  moving_mean: 'mean',
  moving_variance: 'variance',
};

/** A layer's variables by what each is in its operation: TensorFlow.js calls them `<layer>/<role>`. */
export function variablesByRole(layer: layers.Layer): Map<string, LayerVariable> {
  return new Map(
    layer.weights.map((variable) => {
      const role = variable.originalName.slice(variable.originalName.lastIndexOf('/') + 1);
      return [ROLES[role] ?? role, variable];
    }),
  );
}

function weights({ layer }: LayerUse): Partial<Record<string, WeightTensor>> {
  const variables = [...variablesByRole(layer)];
  return Object.fromEntries(variables.map(([role, variable]) => [role, weightTensor(variable.read())]));
}

export function weightTensor(tensor: Tensor): WeightTensor {
  return { shape: [...tensor.shape], data: new Float32Array(tensor.dataSync()) };
}

function configOf({ layer }: LayerUse): Record<string, unknown> {
  return layer.getConfig();
}

function epsilonOf(use: LayerUse): number {
  return configOf(use)['epsilon'] as number;
}

function activationOf(use: LayerUse, activation: unknown): Activation {
  // A layer without an activation says `null` or `linear`, by its kind.
  const name = typeof activation === 'string' ? activation : 'linear';
  const known = ACTIVATIONS.find((candidate) => candidate === name);
  if (known === undefined) throw refused(use, `${use.layer.getClassName()} with activation '${name}'`);
  return known;
}

function rectifier(use: LayerUse): Activation {
  const limit = configOf(use)['maxValue'] as number | null | undefined;
  if (limit === null || limit === undefined) return 'relu';
  if (limit === 6) return 'relu6';
  throw refused(use, `ReLU with maxValue ${limit}`);
}

/** Operations work along the last axis; TensorFlow.js has others for images and sequences. */
function requireLastAxis(use: LayerUse): void {
  const given = configOf(use)['axis'];
  const axes = (Array.isArray(given) ? given : [given ?? -1]) as number[];
  const last = use.inputShapes[0]!.length - 1;
  if (axes.length === 1 && (axes[0] === -1 || axes[0] === last)) return;
  throw refused(use, `${use.layer.getClassName()} along axis ${axes.join(', ')}`);
}

function refused(use: LayerUse, kind: string): UnsupportedLayerError {
  return new UnsupportedLayerError(use.layer.name, kind, SUPPORTED_LAYERS);
}
