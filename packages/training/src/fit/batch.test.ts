import * as tf from '@tensorflow/tfjs-core';
import type { FittedLabel } from '@perennial/contract';
import { beforeAll, describe, expect, it } from 'vitest';
import { cpuBackend } from '../backends/cpu-backend.ts';
import { Batches, inOrder } from './batch.ts';
import type { EncodedRows } from './encoded-rows.ts';

const ROWS: EncodedRows = {
  rows: 3,
  dense: Float32Array.of(1, 2, 3, 4, 5, 6),
  denseWidth: 2,
  indices: new Map([['place', Int32Array.of(7, 8, 9)]]),
  targets: Float32Array.of(0, 2, -1),
};
const BINARY: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.5 };
const MULTICLASS: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['a', 'b', 'c'] };

beforeAll(async () => {
  await cpuBackend.start();
});

function taken(label: FittedLabel, positions: Uint32Array) {
  return tf.tidy(() => {
    const { inputs, targets } = new Batches(ROWS, ['place', 'dense'], label).take(positions);
    return { inputs: inputs.map((tensor) => tensor.arraySync()), targets: targets.arraySync() };
  });
}

describe('a batch', () => {
  it('holds the rows asked for, in the order asked for and of the inputs', () => {
    expect(taken(BINARY, Uint32Array.of(2, 0))).toEqual({
      inputs: [
        [[9], [7]],
        [
          [5, 6],
          [1, 2],
        ],
      ],
      targets: [[-1], [0]],
    });
  });

  it('has one target per class, and none for an unknown class', () => {
    expect(taken(MULTICLASS, inOrder(3)).targets).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 0],
    ]);
  });
});
