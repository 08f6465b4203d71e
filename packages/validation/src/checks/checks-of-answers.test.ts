import type { CalibrationReport, NotWorseSpec } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { calibrationOf } from '../calibration/reliability.ts';
import type { BinaryRows, MulticlassRows, RegressionRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { flights, sampleOf } from '../testing/flight-artifact.ts';
import { simulateBinary } from '../testing/simulated-models.ts';
import { checkBaselines } from './baselines.ts';
import { checkCalibration } from './calibration.ts';
import { checkConstantAnswers } from './constant-answers.ts';

const ROWS = 1_000;
const SAMPLE = sampleOf(flights(new RandomStream(['checks']), 20));

function binary(
  probability: Float32Array,
  labels: Uint8Array = new Uint8Array(probability.length),
): BinaryRows {
  const decision = Uint8Array.from(probability, (value) => (value >= 0.5 ? 1 : 0));
  return { kind: 'binary', labels, probability, decision };
}

describe('the check of constant answers', () => {
  const outcome = (scored: BinaryRows | MulticlassRows | RegressionRows, sample = SAMPLE) =>
    checkConstantAnswers(scored, sample)[0]!;
  const regression = (...value: number[]): RegressionRows => ({
    kind: 'regression',
    labels: new Float64Array(value.length),
    value: Float32Array.from(value),
  });

  it('fails a model that answers everything alike, and says what', () => {
    expect(outcome(binary(new Float32Array(ROWS).fill(0.25)))).toMatchObject({
      name: 'constant-answers',
      outcome: 'fail',
      explanation: expect.stringContaining('Every one of 1,000 test rows is answered with 0.25') as string,
    });
    expect(outcome(regression(7, 7, 7))).toMatchObject({ outcome: 'fail' });
    expect(outcome(regression(0, 0))).toMatchObject({ outcome: 'fail' });
  });

  it('takes the last place of a float for no difference, and small probabilities that differ for one', () => {
    expect(outcome(binary(Float32Array.of(0.9, 0.90000004)))).toMatchObject({ outcome: 'fail' });
    expect(outcome(regression(1_000_000, 1_000_000.06))).toMatchObject({ outcome: 'fail' });
    expect(outcome(binary(Float32Array.of(1e-9, 2e-9)))).toMatchObject({ outcome: 'pass' });
    expect(outcome(regression(7, 7.001))).toMatchObject({ outcome: 'pass' });
  });

  it('looks at the decision and at every class of a multiclass label', () => {
    const constant: MulticlassRows = {
      kind: 'multiclass',
      classes: 2,
      classNames: ['early', 'late'],
      labels: Int32Array.of(0, 1, 0),
      decision: Int32Array.of(1, 1, 1),
      labelProbability: Float32Array.of(0.25, 0.75, 0.25),
      decisionProbability: Float32Array.of(0.75, 0.75, 0.75),
    };
    expect(outcome(constant)).toMatchObject({
      outcome: 'fail',
      explanation: expect.stringContaining("'late' (0.75)") as string,
    });
    expect(outcome({ ...constant, decision: Int32Array.of(1, 0, 1) })).toMatchObject({ outcome: 'pass' });
    const ofTruth = { ...constant, labelProbability: Float32Array.of(0.25, 0.75, 0.125) };
    expect(outcome(ofTruth)).toMatchObject({ outcome: 'pass' });
  });

  it('says nothing where all rows are the same, or there are none', () => {
    const { columns } = SAMPLE.batch;
    const same = {
      distance: Float64Array.of(1, 1, NaN).map(() => NaN),
      origin: ['ORD', 'ORD', 'ORD'],
    };
    const sample = sampleOf({ rows: 3, columns: same });
    expect(outcome(binary(new Float32Array(3)), sample)).toMatchObject({ outcome: 'skipped' });
    const none = Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, column.slice(0, 0)]),
    );
    expect(outcome(binary(new Float32Array()), sampleOf({ rows: 0, columns: none }))).toMatchObject({
      outcome: 'skipped',
    });
  });
});

describe('the checks against baselines', () => {
  const COMPARISON: NotWorseSpec = {
    kind: 'notWorse',
    metric: 'auc',
    margin: 0.01,
    confidence: 0.95,
    replicates: 1_000,
  };
  function candidate(auc: number, seed = 'baselines', rows = ROWS): BinaryRows {
    const random = new RandomStream([seed]);
    const simulated = simulateBinary({ random, rows, candidateAuc: auc, championAuc: 0.7 });
    return binary(
      simulated.candidate.map((score) => 1 / (1 + Math.exp(-score))),
      simulated.labels,
    );
  }
  const check = (model: BinaryRows, linear: BinaryRows | null = null) =>
    checkBaselines({
      comparison: COMPARISON,
      candidate: model,
      constant: { ...model, probability: new Float32Array(model.labels.length).fill(0.3) },
      linear,
      clusters: null,
    });

  it('pass a model that has learnt something, with the numbers', () => {
    expect(check(candidate(0.7))).toMatchObject([
      {
        name: 'better-than-constant',
        subject: 'AUC',
        outcome: 'pass',
        limit: 0,
        explanation: expect.stringMatching(
          /^The candidate is better than a constant answer: its AUC is 0\.\d+ on 1,000 test rows, that of a constant answer 0\.5 /,
        ) as string,
      },
      { name: 'better-than-linear', outcome: 'skipped', measured: null },
    ]);
  });

  it('fail a model of shuffled labels, whose order says nothing', () => {
    const model = candidate(0.8);
    // Labels of the rows before: as many of each kind, and of other rows.
    const labels = Uint8Array.from(model.labels, (_, row) => model.labels[(row + 1) % ROWS]!);
    const [constant] = check({ ...model, labels });
    expect(constant).toMatchObject({ name: 'better-than-constant', outcome: 'fail' });
    expect(constant!.explanation).toMatch(
      /is not shown to be better than a constant answer: .* \(p = 0\.\d+\)\.$/,
    );
  });

  it('fail a model that orders rows the wrong way round', () => {
    const [constant] = check(candidate(0.3));
    expect(constant!.outcome).toBe('fail');
    expect(constant!.measured).toBeLessThan(0);
  });

  it('weigh a network against the linear model on the same rows', () => {
    const model = candidate(0.8, 'same rows');
    const better = check(model, {
      ...model,
      probability: model.probability.map((value) => value * 0.5 + 0.2),
    });
    // The same order of the rows: the network adds nothing.
    expect(better[1]).toMatchObject({ name: 'better-than-linear', outcome: 'fail', measured: 0 });
    const blind = { ...model, probability: new Float32Array(ROWS).fill(0.3) };
    expect(check(model, blind)[1]).toMatchObject({ outcome: 'pass' });
  });

  it('say nothing of too few rows, and nothing where the rows have one label', () => {
    expect(check(candidate(0.8, 'few', 49))[0]).toMatchObject({ outcome: 'skipped', measured: null });
    const one = { ...candidate(0.8), labels: new Uint8Array(ROWS) };
    expect(check(one)[0]).toMatchObject({
      outcome: 'skipped',
      explanation: 'AUC cannot be computed on 1,000 test rows.',
    });
    expect(check(candidate(0.8, 'none', 0))[0]).toMatchObject({ outcome: 'skipped' });
  });
});

describe('the check of calibration', () => {
  function report(rows: number, said: (truth: number) => number, seed: string): CalibrationReport {
    const random = new RandomStream([seed]);
    const truth = Float32Array.from({ length: rows }, () => random.nextFraction());
    const labels = Uint8Array.from(truth, (share) => (random.nextFraction() < share ? 1 : 0));
    return calibrationOf(binary(truth.map(said), labels))!;
  }
  const outcome = (calibration: CalibrationReport | null) => checkCalibration(calibration)[0]!;

  it('passes honest probabilities, of many rows and of few', () => {
    expect(outcome(report(10_000, (p) => p, 'honest'))).toMatchObject({ outcome: 'pass', limit: 0.05 });
    const few = report(60, (p) => p, 'few');
    expect(few.error).toBeGreaterThan(0.05);
    const { outcome: found, explanation } = outcome(few);
    expect(found).toBe('pass');
    expect(explanation).toContain('chance may explain');
  });

  it('fails overconfident ones, and says where they are worst', () => {
    const found = outcome(report(10_000, (p) => (p > 0.5 ? 0.95 : 0.05), 'sure'));
    expect(found.outcome).toBe('fail');
    expect(found.measured).toBeCloseTo(0.2, 1);
    expect(found.explanation).toMatch(/above 0\.05 by more than chance: where the model says (95|5) %/);
  });

  it('fails hardly any model that is off by exactly the limit', () => {
    let failed = 0;
    for (let day = 0; day < 200; day++) {
      if (outcome(report(2_000, (p) => p * 0.9, `limit ${day}`)).outcome === 'fail') failed++;
    }
    // One in twenty at most, and three standard errors of 200 days.
    expect(failed).toBeLessThan(20);
  });

  it('says nothing where there are no probabilities', () => {
    expect(outcome(null)).toMatchObject({ outcome: 'skipped', measured: null });
  });
});
