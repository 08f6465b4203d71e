import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { tf } from '../tensorflow.ts';

/** Watches a loss from epoch to epoch, keeps the weights of the best one, and says when there is no more to wait for. */
export class BestWeights {
  readonly #model: LayersModel;
  readonly #patience: number;
  #best = Infinity;
  #since = 0;
  #weights: Tensor[] = [];

  constructor(model: LayersModel, patience: number) {
    this.#model = model;
    this.#patience = patience;
  }

  /** Takes note of an epoch that just ended. Returns whether the patience is at its end. */
  observe(loss: number): boolean {
    if (loss < this.#best) {
      this.#best = loss;
      this.#since = 0;
      this.#forget();
      this.#weights = this.#model.getWeights().map((weight) => tf.clone(weight));
      return false;
    }
    this.#since += 1;
    return this.#since >= this.#patience;
  }

  /** Puts the best weights back, and lets go of them. */
  restore(): void {
    if (this.#weights.length > 0) this.#model.setWeights(this.#weights);
    this.#forget();
  }

  #forget(): void {
    tf.dispose(this.#weights);
    this.#weights = [];
  }
}
