import {
  CHECKS,
  type CheckResult,
  type Comparison,
  type TestSetWear,
  type Verdict,
} from '@perennial/contract';
import { leavesOpen, stops } from '../checks/severities.ts';
import { explainWear } from './explanation.ts';
import { countText, rowsText } from './number-text.ts';

export interface Evidence {
  comparisons: Comparison[];
  checks: CheckResult[];
  testSet: TestSetWear | null;
  rows: number;
  seenRows: number;
  lostSeenFiles: number;
}

export interface Conclusion {
  verdict: Verdict;
  explanation: string;
  /** Why the verdict is `fail`; null for every other one. */
  worse: { reason: string } | null;
}

/**
 * The gate's answer. A check that stops the candidate, or a comparison that it clearly loses, is a `fail`, with or without a champion; a
 * `pass` needs every comparison to pass and no check to be left open.
 */
export function conclude(evidence: Evidence): Conclusion {
  const verdict = verdictOf(evidence);
  const reasons = [...lostComparisons(evidence), ...evidence.checks.filter(stops).map(explainCheck)];
  return {
    verdict,
    explanation: explanationOf(evidence),
    worse: verdict === 'fail' ? { reason: reasons.join(' ') } : null,
  };
}

function verdictOf({ comparisons, checks }: Evidence): Verdict {
  const verdicts = comparisons.map(({ verdict }) => verdict);
  if (checks.some(stops) || verdicts.includes('fail')) return 'fail';
  if (checks.some(leavesOpen) || verdicts.includes('inconclusive')) return 'inconclusive';
  return verdicts.includes('no-baseline') ? 'no-baseline' : 'pass';
}

function lostComparisons({ comparisons }: Evidence): string[] {
  return comparisons.filter(({ verdict }) => verdict === 'fail').map(({ explanation }) => explanation);
}

/** What it lost and what stopped it first, then the other comparisons, then what is left open and what limits the evidence. */
function explanationOf(evidence: Evidence): string {
  const { comparisons, checks, testSet } = evidence;
  return [
    ...lostComparisons(evidence),
    ...checks.filter(stops).map(explainCheck),
    ...new Set(comparisons.filter(({ verdict }) => verdict !== 'fail').map(({ explanation }) => explanation)),
    ...checks.filter(leavesOpen).map(({ explanation }) => explanation),
    ...(testSet === null || testSet.error === 0 ? [] : explainWear(testSet.comparison, testSet.error)),
    ...seenText(evidence),
  ].join(' ');
}

function explainCheck({ name, explanation }: CheckResult): string {
  return `The check '${name}' (${CHECKS[name].title}) failed. ${explanation}`;
}

function seenText({ rows, seenRows, lostSeenFiles }: Evidence): string[] {
  const texts: string[] = [];
  if (seenRows > 0 && rows > 0)
    texts.push(
      `${rowsText(seenRows)} did not count, since the candidate or the champion was trained on them.`,
    );
  if (lostSeenFiles > 0) {
    texts.push(
      lostSeenFiles === 1
        ? '1 training split of earlier versions is no longer kept, so that test rows that stand in it may count.'
        : `${countText(lostSeenFiles)} training splits of earlier versions are no longer kept, so that test rows that stand in them may count.`,
    );
  }
  return texts;
}
