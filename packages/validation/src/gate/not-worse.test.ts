import { gateReportSchema, type GateSpec } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import type { BinaryRows, RegressionRows, ScoredRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { simulateBinary, simulateRegression } from '../testing/simulated-models.ts';
import { decideNotWorse, type GateChampion, type GateQuestion } from './not-worse.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const CANDIDATE = digest('a');
const CHAMPION = digest('b');
const DATASET = digest('d');

const GATE: GateSpec = { kind: 'notWorse', metric: 'auc', margin: 0.01, confidence: 0.95, replicates: 1_000 };

function binary(labels: Uint8Array, probability: Float32Array): BinaryRows {
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
  gate: Partial<GateSpec> = {},
): GateQuestion {
  return {
    gate: { ...GATE, ...gate },
    dataset: DATASET,
    candidate: { artifact: CANDIDATE, scored: candidate },
    champion: champion && { model: 'late', version: 3, artifact: CHAMPION, answers: { scored: champion } },
  };
}

function simulated(options: { seed: string; rows: number; candidateAuc: number; championAuc: number }) {
  const { labels, candidate, champion } = simulateBinary({
    random: new RandomStream([options.seed]),
    ...options,
  });
  return { candidate: binary(labels, candidate), champion: binary(labels, champion) };
}

describe('the gate notWorse', () => {
  it('passes a candidate that is clearly better, and says by how much', async () => {
    const { candidate, champion } = simulated({
      seed: 'better',
      rows: 4_000,
      candidateAuc: 0.8,
      championAuc: 0.7,
    });
    const { report, intervals } = await decideNotWorse(question(candidate, champion));
    expect(gateReportSchema.parse(report)).toEqual(report);
    expect(report.verdict).toBe('pass');
    expect(report.explanation).toMatch(
      /^On 4,000 test rows the candidate's AUC is 0\.\d+, 0\.\d+ better than the champion's 0\.\d+ \(version 3\)\. With 95 % confidence it is better by at least 0\.\d+\.$/,
    );
    expect(report.difference!.value).toBeCloseTo(report.candidate.value! - report.champion!.value!, 12);
    expect(report.difference!.interval.confidence).toBe(0.9);
    expect(intervals.candidate!.low).toBeLessThan(report.candidate.value!);
    expect(intervals.champion!.high).toBeGreaterThan(report.champion!.value!);
  });

  it('passes a candidate that is as good, where the rows are many enough for the margin', async () => {
    const { candidate, champion } = simulated({
      seed: 'same',
      rows: 9_000,
      candidateAuc: 0.75,
      championAuc: 0.75,
    });
    const { report } = await decideNotWorse(question(candidate, champion, { margin: 0.03 }));
    expect(report.verdict).toBe('pass');
    expect(report.explanation).toMatch(
      /it is worse by at most 0\.\d+, which is within the margin of 0\.03\.$/,
    );
  });

  it('fails a candidate that is clearly worse', async () => {
    const { candidate, champion } = simulated({
      seed: 'worse',
      rows: 4_000,
      candidateAuc: 0.7,
      championAuc: 0.8,
    });
    const { report } = await decideNotWorse(question(candidate, champion));
    expect(report.verdict).toBe('fail');
    expect(report.explanation).toMatch(
      /it is worse by at least 0\.\d+, which is beyond the margin of 0\.01\.$/,
    );
  });

  it('is inconclusive on few rows, and says how many would settle it', async () => {
    const { candidate, champion } = simulated({
      seed: 'few',
      rows: 300,
      candidateAuc: 0.76,
      championAuc: 0.75,
    });
    const { report } = await decideNotWorse(question(candidate, champion));
    expect(report.verdict).toBe('inconclusive');
    expect(report.explanation).toMatch(
      /The difference lies between −0\.\d+ and \+0\.\d+ \(95 % confidence on each side\), so that these rows cannot tell whether it is within the margin of 0\.01\. About [\d,]+ rows would/,
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
    const { report } = await decideNotWorse(
      question(rows(candidate), rows(champion), { metric: 'rmse', margin: 0.5 }),
    );
    expect(report.verdict).toBe('pass');
    expect(report.difference!.value).toBeCloseTo(report.champion!.value! - report.candidate.value!, 12);
    expect(report.explanation).toContain("the candidate's RMSE is");
    expect(report.explanation).toContain('better than');
  });

  it('answers the same for the same question', async () => {
    const { candidate, champion } = simulated({
      seed: 'twice',
      rows: 500,
      candidateAuc: 0.75,
      championAuc: 0.75,
    });
    const first = await decideNotWorse(question(candidate, champion));
    expect(await decideNotWorse(question(candidate, champion))).toEqual(first);
  });

  it('has no baseline without a champion, and still measures the candidate', async () => {
    const { candidate } = simulated({ seed: 'first', rows: 500, candidateAuc: 0.75, championAuc: 0.75 });
    const { report, intervals } = await decideNotWorse(question(candidate, null));
    expect(gateReportSchema.parse(report)).toEqual(report);
    expect(report).toMatchObject({ verdict: 'no-baseline', champion: null, difference: null });
    expect(report.explanation).toMatch(
      /^There is no champion to compare the candidate with\. Its AUC is 0\.\d+ on 500 test rows\.$/,
    );
    expect(intervals.candidate!.low).toBeLessThan(report.candidate.value!);
    expect(intervals.champion).toBeNull();
  });

  it('passes the same file against itself with a difference of 0, even without a margin', async () => {
    const { candidate } = simulated({ seed: 'itself', rows: 200, candidateAuc: 0.75, championAuc: 0.75 });
    const itself = { model: 'late', version: 3, artifact: CANDIDATE, answers: { scored: candidate } };
    const { report, intervals } = await decideNotWorse({
      ...question(candidate, null, { margin: 0 }),
      champion: itself,
    });
    expect(report.verdict).toBe('pass');
    expect(report.difference).toEqual({ value: 0, interval: { low: 0, high: 0, confidence: 0.9 } });
    expect(intervals.champion).toEqual(intervals.candidate);
    expect(report.explanation).toMatch(/same file as the champion, version 3/);
  });

  it('is inconclusive about a champion that cannot answer, and repeats why', async () => {
    const { candidate } = simulated({ seed: 'unfit', rows: 200, candidateAuc: 0.75, championAuc: 0.75 });
    const champion: GateChampion = {
      model: 'late',
      version: 3,
      artifact: CHAMPION,
      answers: { problem: "it needs the column 'carrier', which the dataset no longer has" },
    };
    const { report } = await decideNotWorse({ ...question(candidate, null), champion });
    expect(report).toMatchObject({
      verdict: 'inconclusive',
      difference: null,
      champion: { version: 3, value: null },
    });
    expect(report.explanation).toContain("it needs the column 'carrier', which the dataset no longer has");
  });
});

describe('rows that cannot decide', () => {
  const scores = (rows: number): Float32Array =>
    Float32Array.from({ length: rows }, (_, row) => (row % 10) / 10);

  it.each([0, 1])('of the one class %i are inconclusive, never a pass', async (label) => {
    const labels = new Uint8Array(120).fill(label);
    const candidate = binary(labels, scores(120));
    const champion = binary(labels, scores(120).reverse());
    for (const against of [champion, candidate]) {
      const { report } = await decideNotWorse(question(candidate, against));
      expect(report).toMatchObject({ verdict: 'inconclusive', difference: null, candidate: { value: null } });
      expect(report.explanation).toBe(
        'AUC cannot be computed on 120 test rows: they all have the same label. Nothing follows about the candidate.',
      );
    }
    const same = { model: 'late', version: 3, artifact: CANDIDATE, answers: { scored: candidate } };
    const { report } = await decideNotWorse({ ...question(candidate, null), champion: same });
    expect(report).toMatchObject({ verdict: 'inconclusive', difference: null });
  });

  it('of which there are none are inconclusive', async () => {
    const nothing = binary(new Uint8Array(0), new Float32Array(0));
    const { report } = await decideNotWorse(question(nothing, nothing));
    expect(report).toMatchObject({ verdict: 'inconclusive', rows: 0 });
    expect(report.explanation).toBe('There are no test rows to compute AUC on.');
    expect((await decideNotWorse(question(nothing, null))).report.explanation).toMatch(/cannot be computed/);
  });

  it('with a handful of one label are inconclusive though the candidate looks far better', async () => {
    const labels = Uint8Array.from({ length: 400 }, (_, row) => (row < 4 ? 1 : 0));
    const good = Float32Array.from(labels, (label, row) => label * 0.5 + (row % 7) / 100);
    const { report } = await decideNotWorse(question(binary(labels, good), binary(labels, scores(400))));
    expect(report.verdict).toBe('inconclusive');
    expect(report.explanation).toContain(
      'The rarer label has 4 of the rows, and at least 10 are needed: too few to decide on.',
    );
  });

  it('with a single row of one label have no interval', async () => {
    const labels = Uint8Array.from([1, 0]);
    const { report } = await decideNotWorse(
      question(binary(labels, scores(2)), binary(labels, scores(2).reverse())),
    );
    expect(report).toMatchObject({ verdict: 'inconclusive', difference: null });
    expect(report.explanation).toContain('has no interval on 2 test rows');
  });

  it('fewer than fifty are inconclusive for any metric', async () => {
    const rows = (value: number): RegressionRows => ({
      kind: 'regression',
      labels: Float64Array.from({ length: 49 }, (_, row) => row),
      value: Float32Array.from({ length: 49 }, (_, row) => row + value),
    });
    const { report } = await decideNotWorse(question(rows(0), rows(5), { metric: 'mae', margin: 1 }));
    expect(report.verdict).toBe('inconclusive');
    expect(report.explanation).toContain('There are 49 test rows, and at least 50 are needed');
  });

  it('on which two models decide alike do not prove an accuracy within a margin smaller than they can show', async () => {
    const labels = Uint8Array.from({ length: 100 }, (_, row) => row % 2);
    const sure = binary(
      labels,
      Float32Array.from(labels, (label) => 0.2 + 0.6 * label),
    );
    const surer = binary(
      labels,
      Float32Array.from(labels, (label) => 0.1 + 0.8 * label),
    );
    const at = async (margin: number) =>
      (await decideNotWorse(question(sure, surer, { metric: 'accuracy', margin }))).report;
    expect((await at(0.005)).verdict).toBe('inconclusive');
    expect((await at(0.02)).verdict).toBe('pass');
  });
});
