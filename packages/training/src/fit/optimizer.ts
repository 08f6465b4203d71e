import type { Optimizer } from '@tensorflow/tfjs-core';
import type { NetworkTrainSpec } from '@perennial/contract';
import { tf } from '../tensorflow.ts';
import { WasmAdam } from '../wasm/wasm-adam.ts';

/** The optimizer a pipeline asks for; all but the learning rate are TensorFlow.js's defaults. */
export function createOptimizer({
  optimizer,
  learningRate,
}: Pick<NetworkTrainSpec, 'optimizer' | 'learningRate'>): Optimizer {
  switch (optimizer) {
    case 'adam':
      return tf.getBackend() === 'wasm' ? new WasmAdam(learningRate) : tf.train.adam(learningRate);
    case 'sgd':
      return tf.train.sgd(learningRate);
    case 'rmsprop':
      return tf.train.rmsprop(learningRate);
    case 'adagrad':
      return tf.train.adagrad(learningRate);
  }
}
