import type { Digest, TestSetWear } from '@perennial/contract';
import { normalCdf } from '../statistics/normal.ts';
import { chiSquareQuantile } from './chi-square.ts';

/**
 * Share of what is left of the allowed error that each question on a set of test rows may spend. Most goes to the first: a pipeline asks
 * its test rows once a day, and then they are yesterday's.
 */
export const SPENT_SHARE = 0.8;

export interface WearQuestion {
  /** One-sided error that all questions on the rows may make together: 1 − confidence. */
  allowed: number;
  /** Which question on the rows this is, from 1. */
  comparison: number;
  /** Metrics that every question on the rows is answered by. */
  metrics: number;
}

/**
 * The one-sided error that one question may make, so that all questions ever asked of the same rows together let a truly worse candidate
 * through no more often than `allowed`, even one that was built from the earlier answers.
 *
 * Question k spends α_k = allowed · s · (1 − s)^(k − 1), which sums to `allowed` over any number of questions (alpha spending: Foster &
 * Stine, "α-investing", JRSS B 70, 2008). That alone would do for candidates that were there before the first answer. One that is made from
 * answers can add up what it learnt by chance: after k − 1 answers with their values it may lie in any direction that they span, and the
 * largest of their standardised differences over all those directions is not a normal number but the root of a chi-square one, with a
 * degree of freedom for every value told and one for what is new (Scheffé, "A method for judging all contrasts in the analysis of
 * variance", Biometrika 40, 1953). From the second question on the bound is therefore put where that root lies above it with probability
 * α_k. At 95 % the errors are 0.04, 9.4e-4, 4.7e-5, …; without it an optimal adversary gets through 8 % of the time instead of 5 %.
 * The problem itself: Dwork et al., "The reusable holdout", Science 349, 2015; Blum & Hardt, "The ladder", ICML 2015.
 */
export function errorOfComparison({ allowed, comparison, metrics }: WearQuestion): number {
  const spent = allowed * SPENT_SHARE * (1 - SPENT_SHARE) ** (comparison - 1);
  if (comparison === 1 || spent === 0) return spent;
  const directions = (comparison - 1) * metrics + 1;
  return normalCdf(-Math.sqrt(chiSquareQuantile(spent, directions)));
}

/** What the ledger allows a question. */
export interface Allowance {
  /** How many questions the rows are good for. */
  budget: number;
  /** Which this is, from 1. */
  comparison: number;
}

/** Whether the rows have been asked as often as they may be: whatever they would say of this candidate counts for nothing. */
export function isSpent({ budget, comparison }: Allowance): boolean {
  return comparison > budget;
}

export function wearOf(
  split: Digest,
  allowance: Allowance,
  question: Pick<WearQuestion, 'allowed' | 'metrics'>,
): TestSetWear {
  const { budget, comparison } = allowance;
  return {
    split,
    comparison,
    error: isSpent(allowance) ? 0 : errorOfComparison({ ...question, comparison }),
    left: Math.max(0, budget - comparison),
  };
}
