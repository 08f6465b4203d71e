import type { Activation } from '@perennial/contract';
import type { GraphBuilder } from './graph-builder.ts';

/** Slope of `leakyRelu` below zero where none is given: TensorFlow.js's, not ONNX's 0.01. */
const LEAKY_RELU_ALPHA = 0.3;

/** Writes an activation by TensorFlow.js's formula; gives the tensor it ends in. `alpha` belongs to `leakyRelu` and `elu` alone. */
export function writeActivation(
  graph: GraphBuilder,
  tensor: string,
  options: { activation: Activation; alpha?: number | undefined },
): string {
  const { activation, alpha } = options;
  switch (activation) {
    case 'linear':
      return tensor;
    case 'relu':
      return graph.node('Relu', [tensor]);
    case 'relu6':
      return writeRelu6(graph, tensor);
    case 'elu':
      return graph.node('Elu', [tensor], { attributes: { alpha: { float: alpha ?? 1 } } });
    case 'selu':
      // ONNX's default constants are those of Klambauer et al., "Self-Normalizing Neural Networks", 2017, as are TensorFlow.js's.
      return graph.node('Selu', [tensor]);
    case 'gelu':
      // The exact form, x · Φ(x), is both sides' default.
      return graph.node('Gelu', [tensor]);
    case 'leakyRelu':
      return graph.node('LeakyRelu', [tensor], {
        attributes: { alpha: { float: alpha ?? LEAKY_RELU_ALPHA } },
      });
    case 'sigmoid':
      return graph.node('Sigmoid', [tensor]);
    case 'hardSigmoid':
      return graph.node('HardSigmoid', [tensor], {
        attributes: { alpha: { float: 0.2 }, beta: { float: 0.5 } },
      });
    case 'softplus':
      return graph.node('Softplus', [tensor]);
    case 'softsign':
      return graph.node('Softsign', [tensor]);
    case 'tanh':
      return graph.node('Tanh', [tensor]);
    case 'softmax':
      return graph.node('Softmax', [tensor], { attributes: { axis: { int: -1 } } });
    case 'swish':
      return graph.node('Mul', [tensor, graph.node('Sigmoid', [tensor])]);
  }
}

function writeRelu6(graph: GraphBuilder, tensor: string): string {
  const [low, high] = [graph.constant(Float32Array.of(0), []), graph.constant(Float32Array.of(6), [])];
  return graph.node('Clip', [tensor, low, high]);
}

/** Whether an activation has a parameter `alpha`. */
export function takesAlpha(activation: Activation): boolean {
  return activation === 'leakyRelu' || activation === 'elu';
}
