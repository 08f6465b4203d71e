import { train, type Optimizer } from '@tensorflow/tfjs-core';
import type { TrainSpec } from '@perennial/contract';

/** The optimizer a pipeline asks for; all but the learning rate are TensorFlow.js's defaults. */
export function createOptimizer({
  optimizer,
  learningRate,
}: Pick<TrainSpec, 'optimizer' | 'learningRate'>): Optimizer {
  switch (optimizer) {
    case 'adam':
      return train.adam(learningRate);
    case 'sgd':
      return train.sgd(learningRate);
    case 'rmsprop':
      return train.rmsprop(learningRate);
    case 'adagrad':
      return train.adagrad(learningRate);
  }
}
