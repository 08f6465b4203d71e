import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOptimizer } from '../fit/optimizer.ts';
import { onBackend } from '../testing/on-backend.ts';
import { WasmAdam } from './wasm-adam.ts';

beforeAll(() => onBackend('wasm', () => tf.scalar(0)));

/** Descends a least-squares slope of two variables, one of which most steps leave without a gradient. */
function descended(optimizer: tf.Optimizer, steps: number): number[] {
  const { table, bias } = tf.tidy(() => ({
    table: tf.variable(tf.randomUniform([40, 3], -1, 1, 'float32', 1)),
    bias: tf.variable(tf.zeros([3])),
  }));
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const rows = tf.tensor1d([step % 40, (step * 7) % 40], 'int32');
      const targets = tf.randomUniform([2, 3], -1, 1, 'float32', step);
      const loss = () => tf.mean(tf.square(tf.sub(tf.add(tf.gather(table, rows), bias), targets)));
      optimizer.applyGradients(tf.variableGrads(loss as () => tf.Scalar, [table, bias]).grads);
    });
  }
  const numbers = [...table.dataSync(), ...bias.dataSync()];
  tf.dispose([table, bias]);
  optimizer.dispose();
  return numbers;
}

describe('Adam on wasm', () => {
  it('is what the optimizer of that name is there', () => {
    expect(createOptimizer({ optimizer: 'adam', learningRate: 0.01 })).toBeInstanceOf(WasmAdam);
  });

  it('comes to the same weights as the stock one', () => {
    const stock = descended(tf.train.adam(0.01), 300);
    const own = descended(new WasmAdam(0.01), 300);
    const farthest = Math.max(...stock.map((weight, i) => Math.abs(weight - own[i]!)));
    expect(farthest).toBeGreaterThan(0);
    expect(farthest).toBeLessThan(1e-4);
  });

  it('comes to the same weights every time, bit for bit, and leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    const first = descended(new WasmAdam(0.01), 20);
    expect(descended(new WasmAdam(0.01), 20)).toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('has a matrix product see the weights of after the step', () => {
    const kernel = tf.variable(tf.eye(40));
    const input = tf.randomUniform([64, 40], -1, 1, 'float32', 3);
    const before = tf.tidy(() => [...tf.matMul(input, kernel as tf.Tensor2D).dataSync()]);
    tf.tidy(() => new WasmAdam(0.5).applyGradients({ [kernel.name]: tf.ones([40, 40]) }));
    const after = tf.tidy(() => [...tf.matMul(input, kernel as tf.Tensor2D).dataSync()]);
    const expected = tf.tidy(() => [...tf.matMul(input, tf.sub<tf.Tensor2D>(tf.eye(40), 0.5)).dataSync()]);
    expect(after).not.toEqual(before);
    after.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
    tf.dispose([kernel, input]);
  });
});
