import { scoreOrder } from '../metrics/score-order.ts';
import type { BinaryRows } from '../scoring/scored-rows.ts';

/** Rows that are taken for positive when the threshold falls from score to score, one entry per distinct score, the highest first. */
export interface ThresholdCounts {
  /** Rows of each label at or above the score. */
  truePositives: Uint32Array;
  falsePositives: Uint32Array;
  /** All rows of each label. */
  positives: number;
  negatives: number;
}

export function thresholdCounts({ labels, probability }: BinaryRows): ThresholdCounts {
  const order = scoreOrder(probability);
  const truePositives = new Uint32Array(order.length);
  const falsePositives = new Uint32Array(order.length);
  let thresholds = 0;
  let positives = 0;
  for (let position = order.length - 1; position >= 0; position--) {
    const row = order[position]!;
    positives += labels[row]!;
    const next = order[position - 1];
    if (next !== undefined && probability[next] === probability[row]) continue;
    truePositives[thresholds] = positives;
    falsePositives[thresholds] = order.length - position - positives;
    thresholds++;
  }
  return {
    truePositives: truePositives.subarray(0, thresholds),
    falsePositives: falsePositives.subarray(0, thresholds),
    positives,
    negatives: order.length - positives,
  };
}
