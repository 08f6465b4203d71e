import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { onBackend, wasmError } from '../testing/on-backend.ts';

const size = fc.integer({ min: 1, max: 70 });

function matrix(rows: number, columns: number): tf.Tensor2D {
  return tf.randomUniform([rows, columns], -1, 1, 'float32', rows * 1000 + columns);
}

// One registration for both backends' use: kernels are registered before wasm starts.
beforeAll(() => onBackend('wasm', () => tf.scalar(0)));

describe('matrix products on wasm', () => {
  it('agree with plain JavaScript for every size and transpose flag', async () => {
    const shapes = fc.record({
      rows: size,
      inner: size,
      columns: size,
      flipA: fc.boolean(),
      flipB: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, inner, columns, flipA, flipB }) => {
        const error = await wasmError(() => {
          const a = flipA ? matrix(inner, rows) : matrix(rows, inner);
          const b = flipB ? matrix(columns, inner) : matrix(inner, columns);
          return tf.matMul(a, b, flipA, flipB);
        });
        expect(error).toBeLessThan(1e-5);
      }),
      { numRuns: 60 },
    );
  });

  it('agree where they are large enough for a transposed copy', async () => {
    for (const [flipA, flipB] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const error = await wasmError(() =>
        tf.matMul(
          flipA ? matrix(120, 64) : matrix(64, 120),
          flipB ? matrix(33, 120) : matrix(120, 33),
          flipA,
          flipB,
        ),
      );
      expect(error).toBeLessThan(1e-5);
    }
  });

  it('agree with one leading dimension, as the gradient of a fused product has', async () => {
    const error = await wasmError(() =>
      tf.matMul(tf.expandDims(matrix(100, 64)), tf.expandDims(matrix(50, 64)), false, true),
    );
    expect(error).toBeLessThan(1e-5);
  });

  it('agree for several matrices at once', async () => {
    const error = await wasmError(() => {
      const a = tf.randomUniform([3, 60, 20], -1, 1, 'float32', 1);
      const b = tf.randomUniform([3, 60, 30], -1, 1, 'float32', 2);
      return tf.matMul(a, b, true, false);
    });
    expect(error).toBeLessThan(1e-5);
  });

  it('add a bias once behind an inner dimension of 120, whatever the flags', async () => {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const error = await wasmError(() =>
        tf.fused.matMul({
          a: transposeA ? matrix(120, 5) : matrix(5, 120),
          b: transposeB ? matrix(7, 120) : matrix(120, 7),
          transposeA,
          transposeB,
          bias: tf.range(1, 8),
          activation: 'relu',
        }),
      );
      expect(error).toBeLessThan(1e-5);
    }
  });

  it('add a bias once to each of several matrices', async () => {
    for (const activation of ['linear', 'relu', 'relu6', 'sigmoid', 'elu', 'leakyrelu'] as const) {
      const error = await wasmError(() =>
        tf.fused.matMul({
          a: tf.randomUniform([2, 4, 120], -1, 1, 'float32', 1),
          b: tf.randomUniform([2, 120, 6], -1, 1, 'float32', 2),
          bias: tf.range(0, 6),
          activation,
          leakyreluAlpha: 0.3,
        }),
      );
      expect(error).toBeLessThan(1e-5);
    }
  });
});

describe('embeddings on wasm', () => {
  it('are looked up and differentiated as in plain JavaScript', async () => {
    const lookups = fc.record({
      width: fc.integer({ min: 1, max: 9 }),
      indices: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(lookups, async ({ width, indices }) => {
        const look = (table: tf.Tensor) => tf.gather(table, tf.tensor1d(indices, 'int32'));
        expect(await wasmError(() => look(matrix(5, width)))).toBe(0);
        const weigh = () => matrix(indices.length, width);
        const gradient = () =>
          tf.grad((table: tf.Tensor) => tf.sum(tf.mul(look(table), weigh())))(matrix(5, width));
        expect(await wasmError(gradient)).toBeLessThan(1e-6);
      }),
      { numRuns: 40 },
    );
  });

  it('leave rows of no segment out of the sum', async () => {
    const sums = await onBackend('wasm', () =>
      tf.unsortedSegmentSum(tf.tensor2d([1, 2, 3, 4], [4, 1]), tf.tensor1d([0, -1, 2, 9], 'int32'), 3),
    );
    expect(sums).toEqual([1, 0, 3]);
  });

  it('refuse an index outside the table', async () => {
    const lookup = onBackend('wasm', () => tf.gather(matrix(3, 2), tf.tensor1d([3], 'int32')));
    await expect(lookup).rejects.toThrow('Index 3 is outside a table of 3 rows');
  });

  it('fall back to the stock kernel along another axis', async () => {
    expect(await wasmError(() => tf.gather(matrix(4, 6), tf.tensor1d([5, 0], 'int32'), 1))).toBe(0);
  });
});

describe('matrix operations on wasm', () => {
  it('transpose, split, join and sum as in plain JavaScript', async () => {
    await fc.assert(
      fc.asyncProperty(size, size, size, async (rows, left, right) => {
        const columns = left + right;
        expect(await wasmError(() => tf.transpose(matrix(rows, columns)))).toBe(0);
        expect(await wasmError(() => tf.split(matrix(rows, columns), [left, right], 1)[1]!)).toBe(0);
        expect(await wasmError(() => tf.concat([matrix(rows, left), matrix(rows, right)], 1))).toBe(0);
        expect(await wasmError(() => tf.sum(matrix(rows, columns), 0))).toBeLessThan(1e-5);
        expect(await wasmError(() => tf.sum(matrix(rows, columns), 0, true))).toBeLessThan(1e-5);
      }),
      { numRuns: 30 },
    );
  });

  it('leave other shapes and axes to the stock kernels', async () => {
    expect(await wasmError(() => tf.transpose(tf.reshape(tf.range(0, 24), [2, 3, 4]), [2, 0, 1]))).toBe(0);
    expect(await wasmError(() => tf.sum(matrix(6, 5), 1))).toBeLessThan(1e-5);
    expect(await wasmError(() => tf.sum(matrix(6, 5)))).toBeLessThan(1e-5);
    expect(await wasmError(() => tf.split(matrix(6, 5), [4, 2], 0)[1]!)).toBe(0);
    expect(await wasmError(() => tf.split(matrix(6, 5), [2, -1], 1)[1]!)).toBe(0);
    expect(await wasmError(() => tf.concat([matrix(6, 5), matrix(2, 5)], 0))).toBe(0);
    expect(await wasmError(() => tf.concat([tf.range(0, 3), tf.range(3, 5)], 0))).toBe(0);
  });
});
