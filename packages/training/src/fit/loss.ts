import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { LabelKind } from '@perennial/contract';
import { tf } from '../tensorflow.ts';

/** Mean loss of some rows, from what the network says and the targets, both `[rows, width]`. */
export type Loss = (predicted: Tensor, targets: Tensor) => Scalar;

/** Farthest that a probability may go towards 0 before its logarithm is taken: Keras's own limit. */
const SMALLEST_PROBABILITY = 1e-7;

export const LOSSES: Record<LabelKind, Loss> = {
  /**
   * Cross-entropy of two classes. |p − (1 − y)| is the probability given to what really happened, so one logarithm does for both classes.
   */
  binary: (predicted, targets) => meanSurprise(tf.abs(tf.sub(predicted, tf.sub(1, targets)))),
  /** Cross-entropy of many. Rows of an unknown class have no target; their probability counts as 1 and so their loss as 0. */
  multiclass: (predicted, targets) => {
    const known = tf.sum(targets, 1);
    const given = tf.sum(tf.mul(predicted, targets), 1);
    return meanSurprise(tf.add(given, tf.sub(1, known)));
  },
  /** Mean squared error, in units of the scaled label. */
  regression: (predicted, targets) => tf.mean(tf.squaredDifference(predicted, targets)),
};

function meanSurprise(probability: Tensor): Scalar {
  return tf.neg(tf.mean(tf.log(tf.clipByValue(probability, SMALLEST_PROBABILITY, 1))));
}
