import type { Activation } from '@perennial/contract';
import type { NetworkGraph, NetworkLayer, WeightTensor } from '../network.ts';

/** A row of a tensor between layers: its last axis. Neither rank nor batch matters to a reference that goes row by row. */
type Vector = number[];

/** erf by its Maclaurin series: good to 1e-8 up to 4, where it is 1 within 2e-8. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n += 1) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** TensorFlow.js's formulas. */
const FORMULAS: Record<Exclude<Activation, 'softmax'>, (x: number, alpha?: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  elu: (x, alpha = 1) => (x >= 0 ? x : alpha * Math.expm1(x)),
  selu: (x) => SELU_SCALE * (x >= 0 ? x : SELU_ALPHA * Math.expm1(x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  leakyRelu: (x, alpha = 0.3) => (x >= 0 ? x : alpha * x),
  sigmoid,
  hardSigmoid: (x) => Math.min(1, Math.max(0, 0.2 * x + 0.5)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  softsign: (x) => x / (1 + Math.abs(x)),
  tanh: Math.tanh,
  swish: (x) => x * sigmoid(x),
};

export function referenceActivation(vector: Vector, activation: Activation, alpha?: number): Vector {
  if (activation !== 'softmax') return vector.map((x) => FORMULAS[activation](x, alpha));
  const highest = Math.max(...vector);
  const powers = vector.map((x) => Math.exp(x - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** A network's output for one row, in float64: the inputs by name, an index being a vector of one number. */
export function referenceForward(network: NetworkGraph, inputs: ReadonlyMap<string, Vector>): Vector {
  const values = new Map(inputs);
  for (const layer of network.layers) {
    values.set(
      layer.name,
      forwardLayer(
        layer,
        layer.inputs.map((name) => values.get(name) ?? []),
      ),
    );
  }
  return values.get(network.output) ?? [];
}

function forwardLayer(layer: NetworkLayer, inputs: Vector[]): Vector {
  const [x = []] = inputs;
  switch (layer.kind) {
    case 'dense':
      return referenceActivation(multiply(x, layer.kernel, layer.bias), layer.activation);
    case 'activation':
      return referenceActivation(x, layer.activation, layer.alpha);
    case 'batchNormalization':
      return normalise(x, { ...layer, mean: [...layer.mean.data], variance: [...layer.variance.data] });
    case 'layerNormalization': {
      const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
      return normalise(x, { ...layer, mean: x.map(() => mean), variance: x.map(() => variance) });
    }
    case 'dropout':
    case 'flatten':
      return x;
    case 'concatenate':
      return inputs.flat();
    case 'add':
      return x.map((_, i) => inputs.reduce((sum, vector) => sum + (vector[i] ?? NaN), 0));
    case 'embedding': {
      const width = layer.table.shape[1] ?? 0;
      const index = x[0] ?? NaN;
      return [...layer.table.data.subarray(index * width, (index + 1) * width)];
    }
  }
}

function multiply(x: Vector, kernel: WeightTensor, bias: WeightTensor | undefined): Vector {
  const width = kernel.shape[1] ?? 0;
  return Array.from({ length: width }, (_, j) =>
    x.reduce((sum, value, i) => sum + value * (kernel.data[i * width + j] ?? NaN), bias?.data[j] ?? 0),
  );
}

function normalise(
  x: Vector,
  by: {
    mean: Vector;
    variance: Vector;
    epsilon: number;
    gamma?: WeightTensor | undefined;
    beta?: WeightTensor | undefined;
  },
): Vector {
  return x.map((value, i) => {
    const deviation = Math.sqrt((by.variance[i] ?? NaN) + by.epsilon);
    const scaled = ((value - (by.mean[i] ?? NaN)) / deviation) * (by.gamma?.data[i] ?? 1);
    return scaled + (by.beta?.data[i] ?? 0);
  });
}
