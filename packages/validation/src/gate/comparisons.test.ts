import { comparisonSchema, type GateSpec, type NotWorseSpec } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import type { BinaryRows, RegressionRows, ScoredRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { simulateBinary, simulateRegression } from '../testing/simulated-models.ts';
import { answerComparisons, type GateQuestion } from './comparisons.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const CANDIDATE = digest('a');
const CHAMPION = digest('b');

const AUC: NotWorseSpec = {
  kind: 'notWorse',
  metric: 'auc',
  margin: 0.01,
  confidence: 0.95,
  replicates: 1_000,
};
const gate = (...comparisons: Partial<NotWorseSpec>[]): GateSpec => ({
  comparisons: comparisons.map((spec) => ({ ...AUC, ...spec })),
  limits: [],
  inconclusive: 'hold',
});

function binary(labels: Uint8Array, scores: Float32Array): BinaryRows {
  const probability = scores.map((score) => 1 / (1 + Math.exp(-score)));
  return {
    kind: 'binary',
    labels,
    probability,
    decision: Uint8Array.from(probability, (p) => (p >= 0.5 ? 1 : 0)),
  };
}

function question(
  candidate: ScoredRows,
  champion: ScoredRows | null,
  parts: Partial<GateQuestion> = {},
): GateQuestion {
  return {
    gate: gate({}),
    dataset: digest('d'),
    split: digest('5'),
    candidate: { artifact: CANDIDATE, scored: candidate },
    seenRows: 0,
    champion: champion && { model: 'late', version: 3, artifact: CHAMPION, answers: { scored: champion } },
    clusters: {},
    debit: () => Promise.resolve({ budget: 10, comparison: 1 }),
    ...parts,
  };
}

function simulated(options: { seed: string; rows: number; candidateAuc: number; championAuc: number }) {
  const random = new RandomStream([options.seed]);
  const { labels, candidate, champion } = simulateBinary({ random, ...options });
  return { candidate: binary(labels, candidate), champion: binary(labels, champion) };
}

const BETTER = simulated({ seed: 'better', rows: 4_000, candidateAuc: 0.8, championAuc: 0.7 });
const WORSE = simulated({ seed: 'worse', rows: 4_000, candidateAuc: 0.7, championAuc: 0.8 });
const FEW = simulated({ seed: 'few', rows: 300, candidateAuc: 0.76, championAuc: 0.75 });

describe('a comparison', () => {
  it('passes a candidate that is clearly better, and says by how much', async () => {
    const { comparisons, intervals, testSet } = await answerComparisons(
      question(BETTER.candidate, BETTER.champion),
    );
    const [comparison] = comparisons;
    expect(comparisonSchema.parse(comparison)).toEqual(comparison);
    expect(comparison).toMatchObject({ verdict: 'pass', metric: 'auc', margin: 0.01, rowsToSettle: null });
    expect(comparison!.confidence).toBeCloseTo(0.96, 12);
    expect(comparison!.pValue).toBeLessThan(0.001);
    expect(comparison!.explanation).toMatch(
      /^On 4,000 test rows the candidate's AUC is 0\.\d+, 0\.\d+ better than the champion's 0\.\d+ \(version 3\)\. With 96 % confidence it is better by at least 0\.\d+\.$/,
    );
    expect(comparison!.difference!.value).toBeCloseTo(comparison!.candidate! - comparison!.champion!, 12);
    expect(intervals.candidate.auc!.low).toBeLessThan(comparison!.candidate!);
    expect(intervals.champion.auc!.confidence).toBe(0.9);
    expect(testSet).toMatchObject({ split: digest('5'), comparison: 1, left: 9 });
  });

  it('fails a candidate that is clearly worse', async () => {
    const { comparisons } = await answerComparisons(question(WORSE.candidate, WORSE.champion));
    expect(comparisons[0]).toMatchObject({ verdict: 'fail' });
    expect(comparisons[0]!.explanation).toMatch(
      /it is worse by at least 0\.\d+, which is beyond the margin of 0\.01\.$/,
    );
  });

  it('is inconclusive on few rows, and says how many would settle it', async () => {
    const { comparisons } = await answerComparisons(question(FEW.candidate, FEW.champion));
    expect(comparisons[0]).toMatchObject({ verdict: 'inconclusive' });
    expect(comparisons[0]!.rowsToSettle).toBeGreaterThan(300);
    expect(comparisons[0]!.explanation).toMatch(
      /The difference lies between −0\.\d+ and \+0\.\d+ \(96 % confidence on each side\), so that these rows cannot tell whether it is within the margin of 0\.01\. About [\d,]+ rows would/,
    );
  });

  it('turns an error round: a smaller one is a positive difference', async () => {
    const { labels, candidate, champion } = simulateRegression({
      random: new RandomStream(['rmse']),
      rows: 2_000,
      candidateRmse: 8,
      championRmse: 10,
    });
    const rows = (value: Float32Array): RegressionRows => ({ kind: 'regression', labels, value });
    const { comparisons } = await answerComparisons(
      question(rows(candidate), rows(champion), { gate: gate({ metric: 'rmse', margin: 0.5 }) }),
    );
    expect(comparisons[0]!.verdict).toBe('pass');
    expect(comparisons[0]!.difference!.value).toBeCloseTo(
      comparisons[0]!.champion! - comparisons[0]!.candidate!,
      12,
    );
  });

  it('answers the same for the same question', async () => {
    const first = await answerComparisons(question(FEW.candidate, FEW.champion));
    expect(await answerComparisons(question(FEW.candidate, FEW.champion))).toEqual(first);
  });

  it('resamples days whole where it is asked to, and needs enough of them', async () => {
    const day = Int32Array.from({ length: 4_000 }, (_, row) => row % 4);
    const { comparisons } = await answerComparisons(
      question(BETTER.candidate, BETTER.champion, { gate: gate({ cluster: 'day' }), clusters: { day } }),
    );
    expect(comparisons[0]).toMatchObject({ verdict: 'inconclusive', difference: null });
    expect(comparisons[0]!.explanation).toContain('There are 4 days, and at least 20 are needed.');
  });
});

describe('several comparisons', () => {
  it('are judged each by its metric, adjusted for being several', async () => {
    const both = gate({}, { metric: 'logLoss', margin: 0.05 });
    const { comparisons, intervals } = await answerComparisons(
      question(BETTER.candidate, BETTER.champion, { gate: both }),
    );
    expect(comparisons.map(({ metric }) => metric)).toEqual(['auc', 'logLoss']);
    expect(Object.keys(intervals.candidate)).toEqual(['auc', 'logLoss']);
    const alone = await answerComparisons(question(FEW.candidate, FEW.champion));
    const together = await answerComparisons(question(FEW.candidate, FEW.champion, { gate: both }));
    expect(together.comparisons[0]!.pValue!).toBeGreaterThanOrEqual(alone.comparisons[0]!.pValue!);
  });

  it('say so where a metric would have decided by itself', async () => {
    const { candidate, champion } = simulated({
      seed: 'holm',
      rows: 1_200,
      candidateAuc: 0.75,
      championAuc: 0.75,
    });
    const about = { gate: gate({}) };
    const { comparisons } = await answerComparisons(question(candidate, champion, about));
    // A margin at which the comparison just passes alone: a little beyond the lower bound.
    const margin = -comparisons[0]!.difference!.interval.low * 1.02;
    const alone = await answerComparisons(question(candidate, champion, { gate: gate({ margin }) }));
    const several = gate({ margin }, { metric: 'logLoss', margin: 0 }, { metric: 'brier', margin: 0 });
    const together = await answerComparisons(question(candidate, champion, { gate: several }));
    expect(alone.comparisons[0]!.verdict).toBe('pass');
    expect(together.comparisons[0]!.verdict).toBe('inconclusive');
    expect(together.comparisons[0]!.explanation).toContain('3 comparisons are made at once');
  });
});

describe('without a difference', () => {
  it('there is no baseline where there is no champion, and the candidate is still measured', async () => {
    const { comparisons, intervals, testSet } = await answerComparisons(question(FEW.candidate, null));
    expect(comparisons[0]).toMatchObject({ verdict: 'no-baseline', champion: null, difference: null });
    expect(comparisons[0]!.explanation).toMatch(
      /^There is no champion to compare the candidate with\. Its AUC is 0\.\d+ on 300 test rows\.$/,
    );
    expect(intervals.candidate.auc!.low).toBeLessThan(comparisons[0]!.candidate!);
    expect(testSet).toBeNull();
  });

  it('the same file passes against itself, even without a margin, and costs the test set nothing', async () => {
    const itself = { model: 'late', version: 3, artifact: CANDIDATE, answers: { scored: FEW.candidate } };
    const { comparisons, testSet, intervals } = await answerComparisons(
      question(FEW.candidate, null, {
        gate: gate({ margin: 0 }),
        champion: itself,
        debit: () => Promise.reject(new Error('charged for nothing')),
      }),
    );
    expect(comparisons[0]).toMatchObject({ verdict: 'pass', difference: { value: 0 } });
    expect(intervals.champion).toEqual(intervals.candidate);
    expect(testSet).toBeNull();
    expect(comparisons[0]!.explanation).toMatch(/same file as the champion, version 3/);
  });

  it('nothing is known against a champion that cannot answer', async () => {
    const answers = { problem: "it needs the column 'carrier', which the dataset no longer has" };
    const champion = { model: 'late', version: 3, artifact: CHAMPION, answers };
    const { comparisons } = await answerComparisons(question(FEW.candidate, null, { champion }));
    expect(comparisons[0]).toMatchObject({ verdict: 'inconclusive', difference: null, champion: null });
    expect(comparisons[0]!.explanation).toContain(answers.problem);
  });

  it('nothing follows from rows that are all of one class, or that there are none of', async () => {
    const one = binary(
      new Uint8Array(120),
      Float32Array.from({ length: 120 }, (_, row) => row),
    );
    const other = binary(new Uint8Array(120), new Float32Array(120));
    const { comparisons } = await answerComparisons(question(one, other));
    expect(comparisons[0]).toMatchObject({ verdict: 'inconclusive', candidate: null, difference: null });
    const nothing = binary(new Uint8Array(0), new Float32Array(0));
    const empty = await answerComparisons(question(nothing, nothing));
    expect(empty.comparisons[0]!.explanation).toContain('There are no test rows to compute AUC on.');
  });

  it('nothing follows where every row was trained on, with a champion or without', async () => {
    const nothing = binary(new Uint8Array(0), new Float32Array(0));
    for (const champion of [nothing, null]) {
      const { comparisons } = await answerComparisons(question(nothing, champion, { seenRows: 800 }));
      expect(comparisons[0]!.verdict).toBe('inconclusive');
      expect(comparisons[0]!.explanation).toContain('All 800 test rows were among the rows');
    }
  });
});

describe('a test set that was asked before', () => {
  const after = (comparison: number) =>
    answerComparisons(
      question(BETTER.candidate, BETTER.champion, {
        debit: () => Promise.resolve({ budget: 3, comparison }),
      }),
    );

  it('needs more to be convinced by each question', async () => {
    const [first, second, third] = [await after(1), await after(2), await after(3)];
    const low = ({ comparisons }: typeof first) => comparisons[0]!.difference!.interval.low;
    expect(low(second)).toBeLessThan(low(first));
    expect(low(third)).toBeLessThan(low(second));
    expect(third.testSet).toMatchObject({ comparison: 3, left: 0 });
  });

  it('tells nothing once its budget is spent, however good the candidate', async () => {
    const { comparisons, intervals, testSet } = await after(4);
    expect(comparisons[0]).toMatchObject({
      verdict: 'inconclusive',
      candidate: null,
      champion: null,
      difference: null,
      pValue: null,
    });
    expect(comparisons[0]!.explanation).toContain('These test rows have been asked about 3 candidates');
    expect(comparisons[0]!.explanation).toContain('fresh test rows are needed');
    expect(intervals).toEqual({ candidate: {}, champion: {} });
    expect(testSet).toMatchObject({ comparison: 4, error: 0, left: 0 });
  });
});
