import {
  METRIC_TITLES,
  type Difference,
  type Metric,
  type NotWorseSpec,
  type Verdict,
} from '@perennial/contract';
import { confidenceText, countText, metricText, rowsText, signedText } from './number-text.ts';

/** Two models' values of one metric and what lies between them. */
export interface ComparedValues {
  spec: NotWorseSpec;
  rows: number;
  candidate: number;
  champion: { version: number; value: number };
  difference: Difference;
  /** The one-sided error that the comparison was allowed. */
  error: number;
  /** The p-value that decided, adjusted for the other comparisons, and how many comparisons there are. */
  pValue: number;
  comparisons: number;
  rowsToSettle: number | null;
}

export function explainComparison(compared: ComparedValues, verdict: Verdict): string {
  return `${explainValues(compared)} ${explainVerdict(compared, verdict)}`;
}

/** The candidate is the very file that is in production. */
export function explainSameArtifact(metric: Metric, champion: { version: number; value: number }): string {
  return `The candidate is the same file as the champion, version ${champion.version} (${METRIC_TITLES[metric]} ${metricText(champion.value)}): it cannot be worse.`;
}

export function explainNoBaseline(metric: Metric, value: number | null, rows: number): string {
  const name = METRIC_TITLES[metric];
  const measured =
    value === null
      ? `Its ${name} cannot be computed on ${rowsText(rows)}.`
      : `Its ${name} is ${metricText(value)} on ${rowsText(rows)}.`;
  return `There is no champion to compare the candidate with. ${measured}`;
}

export function explainUnusableChampion(version: number, problem: string): string {
  return `The champion, version ${version}, cannot be compared on these rows: ${problem}. Whether the candidate is worse is not known.`;
}

/** The metric has no value or no interval on the rows, or there are too few of them. */
export function explainUndecidable(
  compared: { metric: Metric; candidate: number | null; champion: number | null },
  reason: string,
): string {
  const { metric, candidate, champion } = compared;
  const nothing = 'Nothing follows about the candidate.';
  if (candidate === null || champion === null) return `${reason} ${nothing}`;
  return `The candidate's ${METRIC_TITLES[metric]} is ${metricText(candidate)} and the champion's ${metricText(champion)}. ${reason} ${nothing}`;
}

export function explainAllSeen(seen: number): string {
  return `All ${rowsText(seen)} were among the rows that the candidate or the champion was trained on, and do not count. Rows that neither has seen are needed.`;
}

/** The test set's budget is spent. */
export function explainSpent(budget: number): string {
  const times = budget === 1 ? 'one candidate' : `${countText(budget)} candidates`;
  return `These test rows have been asked about ${times}, which is as many as they are good for: among many, one looks good on them by chance. What they say of this candidate is not told; fresh test rows are needed.`;
}

/** What earlier questions cost this one; nothing for the first. */
export function explainWear(comparison: number, error: number): string[] {
  if (comparison === 1) return [];
  const before = comparison === 2 ? '1 candidate' : `${countText(comparison - 1)} candidates`;
  return [
    `These test rows were asked about ${before} before, so that this answer may be wrong with a probability of ${error.toPrecision(2)} only.`,
  ];
}

function explainValues({ spec, rows, candidate, champion, difference }: ComparedValues): string {
  const values = `On ${rowsText(rows)} the candidate's ${METRIC_TITLES[spec.metric]} is ${metricText(candidate)}`;
  if (difference.value === 0) return `${values}, the same as the champion's (version ${champion.version}).`;
  const better = difference.value > 0 ? 'better' : 'worse';
  return `${values}, ${metricText(Math.abs(difference.value))} ${better} than the champion's ${metricText(champion.value)} (version ${champion.version}).`;
}

function explainVerdict(compared: ComparedValues, verdict: Verdict): string {
  const { spec, difference, error } = compared;
  const { low, high } = difference.interval;
  const confidence = `${confidenceText(1 - error)} confidence`;
  const margin = `the margin of ${metricText(spec.margin)}`;
  switch (verdict) {
    case 'pass':
      return low > 0
        ? `With ${confidence} it is better by at least ${metricText(low)}.`
        : `With ${confidence} it is worse by at most ${metricText(Math.abs(low))}, which is within ${margin}.`;
    case 'fail':
      return `With ${confidence} it is worse by at least ${metricText(Math.abs(high))}, which is beyond ${margin}.`;
    case 'inconclusive':
      return explainInconclusive(compared);
    case 'no-baseline':
      return 'There is no champion to compare it with.';
  }
}

function explainInconclusive(compared: ComparedValues): string {
  const { spec, difference, error } = compared;
  const { low, high } = difference.interval;
  const margin = `the margin of ${metricText(spec.margin)}`;
  const lies = `The difference lies between ${signedText(low)} and ${signedText(high)} (${confidenceText(1 - error)} confidence on each side)`;
  if (low > -spec.margin || high < -spec.margin)
    return `${lies}. By itself that would decide, but ${countText(compared.comparisons)} comparisons are made at once, and adjusted for that (Holm) the p-value is ${metricText(compared.pValue)} where ${metricText(error)} is needed.`;
  return `${lies}, so that these rows cannot tell whether it is within ${margin}. ${explainRowsToSettle(compared)}`;
}

function explainRowsToSettle({ rowsToSettle }: ComparedValues): string {
  return rowsToSettle === null
    ? 'It lies so near the margin that no realistic number of rows would settle it.'
    : `About ${countText(rowsToSettle)} rows would, should the difference stay as it is.`;
}
