import type { CheckResult, Comparison, Verdict } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { conclude, type Evidence } from './conclusion.ts';

function comparison(verdict: Verdict, explanation = `Compared: ${verdict}.`): Comparison {
  return {
    metric: 'auc',
    margin: 0.01,
    confidence: 0.95,
    method: 'none',
    candidate: null,
    champion: null,
    difference: null,
    pValue: null,
    verdict,
    explanation,
    rowsToSettle: null,
  };
}

function check(parts: Partial<CheckResult>): CheckResult {
  return {
    name: 'label-leak',
    subject: null,
    severity: 'fail',
    outcome: 'pass',
    explanation: 'As found.',
    measured: null,
    limit: null,
    ...parts,
  };
}

function evidence(parts: Partial<Evidence>): Evidence {
  return {
    comparisons: [comparison('pass')],
    checks: [],
    testSet: null,
    rows: 900,
    seenRows: 0,
    lostSeenFiles: 0,
    ...parts,
  };
}
const verdictOf = (parts: Partial<Evidence>): Verdict => conclude(evidence(parts)).verdict;

describe('the verdict', () => {
  it.each<[Verdict[], Verdict]>([
    [['pass'], 'pass'],
    [['pass', 'pass'], 'pass'],
    [['pass', 'inconclusive'], 'inconclusive'],
    [['inconclusive', 'fail'], 'fail'],
    [['pass', 'fail'], 'fail'],
    [['no-baseline', 'no-baseline'], 'no-baseline'],
  ])('of comparisons that say %j is %s', (verdicts, verdict) => {
    expect(verdictOf({ comparisons: verdicts.map((one) => comparison(one)) })).toBe(verdict);
  });

  it('is fail where a check stops the candidate, with a champion or without', () => {
    const checks = [check({ outcome: 'fail' })];
    for (const said of ['pass', 'inconclusive', 'no-baseline'] as const)
      expect(verdictOf({ checks, comparisons: [comparison(said)] })).toBe('fail');
  });

  it('is not moved by a check that only reports', () => {
    expect(verdictOf({ checks: [check({ outcome: 'fail', severity: 'report' })] })).toBe('pass');
  });

  it('is left open by a limit that was not measured and a golden set that cannot tell', () => {
    for (const name of ['limit', 'golden-set'] as const) {
      const checks = [check({ name, outcome: 'skipped' })];
      expect(verdictOf({ checks })).toBe('inconclusive');
      expect(verdictOf({ checks, comparisons: [comparison('no-baseline')] })).toBe('inconclusive');
      expect(verdictOf({ checks, comparisons: [comparison('fail')] })).toBe('fail');
      expect(verdictOf({ checks: [check({ name, outcome: 'skipped', severity: 'report' })] })).toBe('pass');
    }
    expect(verdictOf({ checks: [check({ name: 'slices', outcome: 'skipped' })] })).toBe('pass');
  });
});

describe('the explanation', () => {
  it('says first what was lost and what stopped the candidate, and that is the reason for an alert', () => {
    const { explanation, worse } = conclude(
      evidence({
        comparisons: [comparison('pass', 'Better by one.'), comparison('fail', 'Worse by another.')],
        checks: [check({ outcome: 'fail', explanation: 'A column tells.' })],
      }),
    );
    const stopped = "The check 'label-leak' (No feature gives the label away) failed. A column tells.";
    expect(explanation).toBe(`Worse by another. ${stopped} Better by one.`);
    expect(worse).toEqual({ reason: `Worse by another. ${stopped}` });
  });

  it('says a sentence once that every comparison says', () => {
    const same = [
      comparison('inconclusive', 'Nothing is known.'),
      comparison('inconclusive', 'Nothing is known.'),
    ];
    expect(conclude(evidence({ comparisons: same }))).toEqual({
      verdict: 'inconclusive',
      explanation: 'Nothing is known.',
      worse: null,
    });
  });

  it('says what the test set was asked before, and which rows did not count', () => {
    const { explanation } = conclude(
      evidence({
        testSet: { split: `sha256:${'5'.repeat(64)}`, comparison: 2, error: 9.43e-4, left: 8 },
        seenRows: 1_200,
        lostSeenFiles: 1,
      }),
    );
    expect(explanation).toBe(
      'Compared: pass. These test rows were asked about 1 candidate before, so that this answer may be wrong with a probability of 0.00094 only. ' +
        '1,200 test rows did not count, since the candidate or the champion was trained on them. ' +
        '1 training split of earlier versions is no longer kept, so that test rows that stand in it may count.',
    );
  });
});
