import { METRIC_TITLES, type NotWorseSpec } from '@perennial/contract';
import { advantageOver, type Advantage } from '../baselines/advantage.ts';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import type { CheckFinding } from './finding.ts';
import { numberText, rowsText } from './wording.ts';

/** Fewer rows cannot show anything: the normal interval needs some dozens. */
const FEWEST_ROWS = 50;

/** The candidate and what it is to be better than, on the same rows. */
export interface BaselineQuestion {
  /** The gate's primary comparison, whose metric and confidence count. */
  comparison: NotWorseSpec;
  candidate: ScoredRows;
  /** Null where it could not be scored; the check is then skipped. */
  constant: ScoredRows | null;
  linear: ScoredRows | null;
  /** Of each row, where the comparison asks for clusters. */
  clusters: Int32Array | null;
}

/**
 * Whether the candidate is shown to be better than a model that learnt nothing, and than a linear one. Labels that were shuffled, features that say
 * nothing and a network that never moved all end here, also where there is no champion to be compared with.
 */
export function checkBaselines(question: BaselineQuestion): CheckFinding[] {
  const { constant, linear } = question;
  return [
    compare(question, { name: 'better-than-constant', scored: constant, what: 'a constant answer' }),
    compare(question, { name: 'better-than-linear', scored: linear, what: 'a linear model' }),
  ];
}

function compare(
  { comparison, candidate, clusters }: BaselineQuestion,
  baseline: {
    name: 'better-than-constant' | 'better-than-linear';
    scored: ScoredRows | null;
    what: string;
  },
): CheckFinding {
  const { metric, confidence } = comparison;
  const finding = { name: baseline.name, subject: METRIC_TITLES[metric], limit: 0 };
  const skip = (explanation: string): CheckFinding => ({
    ...finding,
    outcome: 'skipped',
    explanation,
    measured: null,
  });
  const rows = candidate.labels.length;
  if (baseline.scored === null) return skip(`There is no answer of ${baseline.what} to compare with.`);
  if (rows < FEWEST_ROWS) {
    return skip(`There are ${rowsText(rows)}, and at least ${FEWEST_ROWS} are needed.`);
  }
  const advantage = advantageOver(metric, { model: candidate, baseline: baseline.scored }, clusters);
  if (advantage === null) return skip(`${METRIC_TITLES[metric]} cannot be computed on ${rowsText(rows)}.`);
  const shown = advantage.pValue <= 1 - confidence;
  return {
    ...finding,
    outcome: shown ? 'pass' : 'fail',
    explanation: explain(advantage, { metric: METRIC_TITLES[metric], what: baseline.what, shown, rows }),
    measured: advantage.value,
  };
}

function explain(
  { model, baseline, pValue }: Advantage,
  about: { metric: string; what: string; shown: boolean; rows: number },
): string {
  const { metric, what, shown, rows } = about;
  const values = `its ${metric} is ${numberText(model)} on ${rowsText(rows)}, that of ${what} ${numberText(baseline)}`;
  const chance = pValue < 0.0001 ? 'chance alone hardly ever does that' : `p = ${numberText(pValue)}`;
  return shown
    ? `The candidate is better than ${what}: ${values} (${chance}).`
    : `The candidate is not shown to be better than ${what}: ${values} (p = ${numberText(pValue)}).`;
}
