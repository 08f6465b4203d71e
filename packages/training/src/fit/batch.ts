import type { Tensor } from '@tensorflow/tfjs-core';
import type { FittedLabel } from '@perennial/contract';
import { DENSE_INPUT } from '../network/layout.ts';
import { tf } from '../tensorflow.ts';
import type { EncodedRows } from './encoded-rows.ts';

/** Some rows as tensors: one per input of the network in its order, and the targets `[rows, width]`. */
export interface Batch {
  inputs: Tensor[];
  targets: Tensor;
}

/** Picks rows out of a split as tensors, which the caller disposes (within `tf.tidy`). */
export class Batches {
  readonly #rows: EncodedRows;
  readonly #inputs: readonly string[];
  readonly #targetWidth: number;

  constructor(rows: EncodedRows, inputs: readonly string[], label: FittedLabel) {
    this.#rows = rows;
    this.#inputs = inputs;
    this.#targetWidth = label.kind === 'multiclass' ? label.classes.length : 1;
  }

  /** The rows at these positions. */
  take(positions: Uint32Array): Batch {
    return {
      inputs: this.#inputs.map((name) => this.#input(name, positions)),
      targets: this.#targets(positions),
    };
  }

  #input(name: string, positions: Uint32Array): Tensor {
    if (name === DENSE_INPUT) return this.#dense(positions);
    const indices = this.#rows.indices.get(name)!;
    const picked = new Int32Array(positions.length);
    for (let i = 0; i < positions.length; i++) picked[i] = indices[positions[i]!]!;
    return tf.tensor2d(picked, [positions.length, 1], 'int32');
  }

  #dense(positions: Uint32Array): Tensor {
    const { dense, denseWidth: width } = this.#rows;
    const picked = new Float32Array(positions.length * width);
    for (let i = 0, target = 0; i < positions.length; i++) {
      const source = positions[i]! * width;
      for (let column = 0; column < width; column++) picked[target++] = dense[source + column]!;
    }
    return tf.tensor2d(picked, [positions.length, width]);
  }

  #targets(positions: Uint32Array): Tensor {
    const { targets } = this.#rows;
    const width = this.#targetWidth;
    const picked = new Float32Array(positions.length * width);
    for (let i = 0; i < positions.length; i++) {
      const target = targets[positions[i]!]!;
      if (width === 1) picked[i] = target;
      else if (target >= 0) picked[i * width + target] = 1;
    }
    return tf.tensor2d(picked, [positions.length, width]);
  }
}

/** The positions 0 … rows − 1. */
export function inOrder(rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, i) => i);
}
