import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import { input, type WasmCall, type WasmKernel } from './kernel.ts';
import { transposed } from './matrix-kernels.ts';

/**
 * Multiplications from which a transposed copy pays for itself. Below, the copy and the second dispatch cost about as much as the slow loop.
 */
const WORTH_A_COPY = 1 << 16;

/**
 * A product with a transpose flag, as every dense layer's gradient is made of: the stock kernel misses XNNPACK for it and is up to
 * nine times slower. Here the flagged side is transposed by hand, and the plain product takes the fast path.
 */
export function matMul(call: WasmCall, stock: WasmKernel): ReturnType<WasmKernel> | null {
  const { transposeA, transposeB } = call.attributes;
  if (transposeA !== true && transposeB !== true) return null;
  const a = singleMatrix(input(call, 'a'));
  const b = singleMatrix(input(call, 'b'));
  if (a === null || b === null || multiplications({ a, b, transposeB }) < WORTH_A_COPY) return null;
  const left = transposeA === true ? flipped(call, 'a', a) : input(call, 'a');
  const right = transposeB === true ? flipped(call, 'b', b) : input(call, 'b');
  const output = stock({
    ...call,
    inputs: { a: left, b: right },
    attributes: { transposeA: false, transposeB: false },
  });
  if (transposeA === true) call.backend.disposeData(left.dataId);
  if (transposeB === true) call.backend.disposeData(right.dataId);
  return output;
}

type MatrixShape = [rows: number, columns: number];

/** The last two dimensions, where all before them are 1. */
function singleMatrix({ shape, dtype }: TensorInfo): MatrixShape | null {
  const [columns, rows, ...outer] = shape.toReversed();
  if (dtype !== 'float32' || rows === undefined || columns === undefined) return null;
  return outer.every((size) => size === 1) ? [rows, columns] : null;
}

function multiplications({
  a,
  b,
  transposeB,
}: {
  a: MatrixShape;
  b: MatrixShape;
  transposeB: unknown;
}): number {
  return a[0] * a[1] * (transposeB === true ? b[0] : b[1]);
}

function flipped(call: WasmCall, name: 'a' | 'b', shape: MatrixShape): TensorInfo {
  const matrix = input(call, name);
  const copy = transposed(call, matrix, shape);
  return { ...copy, shape: [...matrix.shape.slice(0, -2), ...copy.shape] };
}

/**
 * A product with bias and activation in one. The stock kernel's slow path (more than one matrix, or a transpose flag) adds the bias once
 * for each block of 48 along the inner dimension: wrong answers in silence. Such calls are put together from the separate operations.
 */
export function fusedMatMul(call: WasmCall): TensorInfo | null {
  const { transposeA, transposeB } = call.attributes;
  const fast =
    transposeA !== true &&
    transposeB !== true &&
    batchOf(input(call, 'a')) === 1 &&
    batchOf(input(call, 'b')) === 1;
  if (fast || call.inputs['bias'] === undefined) return null;
  return tf.tidy(() => {
    const [a, b, bias] = [asTensor(call, 'a'), asTensor(call, 'b'), asTensor(call, 'bias')];
    const sum = tf.add(tf.matMul(a, b, transposeA === true, transposeB === true), bias);
    return activated(call, sum);
  });
}

function batchOf({ shape }: TensorInfo): number {
  return shape.slice(0, -2).reduce((product, size) => product * size, 1);
}

/** A tensor of its own over an input's numbers, so that operations may be called on it. */
function asTensor(call: WasmCall, name: string): Tensor {
  const { shape, dtype, dataId } = input(call, name);
  const numbers = call.backend.readSync(dataId) as Float32Array;
  return tf.tensor(numbers, shape, dtype);
}

function activated(call: WasmCall, x: Tensor): Tensor {
  const activation = call.attributes['activation'] as string;
  switch (activation) {
    case 'linear':
      return x;
    case 'relu':
      return tf.relu(x);
    case 'relu6':
      return tf.relu6(x);
    case 'sigmoid':
      return tf.sigmoid(x);
    case 'elu':
      return tf.elu(x);
    case 'leakyrelu':
      return tf.leakyRelu(x, call.attributes['leakyreluAlpha'] as number);
    case 'prelu':
      return tf.prelu(x, asTensor(call, 'preluActivationWeights'));
    default:
      throw new RangeError(`The wasm backend has no fused activation '${activation}'.`);
  }
}
