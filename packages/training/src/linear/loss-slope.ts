import type { LabelKind } from '@perennial/contract';

/**
 * Puts the loss's derivatives by one row's answers in their place; false where the row says nothing, as its class is unknown. Answers are logits, or the
 * scaled value of a regression.
 */
export type LossSlope = (answers: Float64Array, target: number) => boolean;

export const LOSS_SLOPES: Record<LabelKind, LossSlope> = {
  binary: (answers, target) => {
    answers[0] = 1 / (1 + Math.exp(-answers[0]!)) - target;
    return true;
  },
  multiclass: (answers, target) => {
    if (target < 0) return false;
    let highest = -Infinity;
    for (const answer of answers) highest = Math.max(highest, answer);
    let sum = 0;
    for (let k = 0; k < answers.length; k++) sum += answers[k] = Math.exp(answers[k]! - highest);
    for (let k = 0; k < answers.length; k++) answers[k]! /= sum;
    answers[target]! -= 1;
    return true;
  },
  regression: (answers, target) => {
    answers[0]! -= target;
    return true;
  },
};
