import type { DataCard, FittedLabel } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BinaryRows, MulticlassRows, RegressionRows } from '../scoring/scored-rows.ts';
import { compareAucByDeLong } from '../statistics/delong.ts';
import { RandomStream } from '../statistics/random.ts';
import { BINARY_LABEL, REGRESSION_LABEL } from '../testing/linear-artifact.ts';
import { nextNormal, simulateBinary } from '../testing/simulated-models.ts';
import { advantageOver } from './advantage.ts';
import { baselineOf } from './baseline.ts';
import { constantAnswers } from './constant.ts';

type LabelSummary = DataCard['labels']['train'];
const classes = (counts: Record<string, number>): LabelSummary => ({
  mean: null,
  standardDeviation: null,
  classes: counts,
});
const MULTICLASS_LABEL: FittedLabel = { kind: 'multiclass', name: 'arrival', classes: ['a', 'b'] };

const BINARY: BinaryRows = {
  kind: 'binary',
  labels: Uint8Array.of(0, 1, 0, 0),
  probability: Float32Array.of(0.9, 0.1, 0.9, 0.9),
  decision: Uint8Array.of(1, 0, 1, 1),
};
const MULTICLASS: MulticlassRows = {
  kind: 'multiclass',
  classes: 3,
  classNames: ['a', 'b', 'unseen'],
  labels: Int32Array.of(0, 1, 1, 2),
  decision: Int32Array.of(0, 0, 0, 0),
  labelProbability: new Float32Array(4),
  decisionProbability: new Float32Array(4),
};
const REGRESSION: RegressionRows = {
  kind: 'regression',
  labels: Float64Array.of(1, 3),
  value: Float32Array.of(9, 9),
};

describe('the constant baseline', () => {
  it('answers with the training share of a binary label, and decides by its threshold', () => {
    const constant = constantAnswers(BINARY, { label: BINARY_LABEL, train: classes({ false: 3, true: 1 }) })!;
    expect(constant).toEqual({
      ...BINARY,
      probability: new Float32Array(4).fill(0.25),
      decision: new Uint8Array(4),
    });
    expect(baselineOf('constant', constant)).toMatchObject({
      name: 'constant',
      metrics: { auc: 0.5, accuracy: 0.75, brier: 0.1875 },
    });
    const sure = { label: { ...BINARY_LABEL, threshold: 0.25 }, train: classes({ false: 3, true: 1 }) };
    expect(constantAnswers(BINARY, sure)).toMatchObject({ decision: Uint8Array.of(1, 1, 1, 1) });
  });

  it('answers with the training shares of classes, decides for the most frequent, and gives an unseen one nothing', () => {
    const constant = constantAnswers(MULTICLASS, {
      label: MULTICLASS_LABEL,
      train: classes({ a: 1, b: 3 }),
    });
    expect(constant).toMatchObject({
      labelProbability: Float32Array.of(0.25, 0.75, 0.75, 0),
      decision: Int32Array.of(1, 1, 1, 1),
      decisionProbability: Float32Array.of(0.75, 0.75, 0.75, 0.75),
    });
  });

  it('answers with the training mean of a number', () => {
    const constant = constantAnswers(REGRESSION, {
      label: REGRESSION_LABEL,
      train: { mean: 2, standardDeviation: 1, classes: null },
    })!;
    expect(constant).toMatchObject({ value: Float32Array.of(2, 2) });
    expect(baselineOf('constant', constant).metrics).toEqual({ rmse: 1, mae: 1, r2: 0 });
  });

  it('is not known where the card does not say how the labels are distributed', () => {
    const nothing: LabelSummary = { mean: null, standardDeviation: null, classes: null };
    expect(constantAnswers(BINARY, { label: BINARY_LABEL, train: nothing })).toBeNull();
    expect(constantAnswers(BINARY, { label: BINARY_LABEL, train: classes({}) })).toBeNull();
    expect(constantAnswers(MULTICLASS, { label: MULTICLASS_LABEL, train: nothing })).toBeNull();
    expect(constantAnswers(REGRESSION, { label: REGRESSION_LABEL, train: nothing })).toBeNull();
  });
});

describe('the advantage over a baseline', () => {
  function simulated(auc: number, seed: string): { model: BinaryRows; baseline: BinaryRows } {
    const { labels, candidate, champion } = simulateBinary({
      random: new RandomStream([seed]),
      rows: 500,
      candidateAuc: auc,
      championAuc: 0.6,
    });
    const squash = (scores: Float32Array): BinaryRows => ({
      kind: 'binary',
      labels,
      probability: scores.map((score) => 1 / (1 + Math.exp(-score))),
      decision: Uint8Array.from(scores, (score) => (score > 0 ? 1 : 0)),
    });
    return { model: squash(candidate), baseline: squash(champion) };
  }

  it("is for AUC what DeLong's method says, but for its division by one row less", () => {
    const { model, baseline } = simulated(0.7, 'advantage');
    const advantage = advantageOver('auc', { model, baseline }, null)!;
    const delong = compareAucByDeLong(
      { labels: model.labels, first: model.probability, second: baseline.probability },
      0.9,
    )!;
    expect(advantage.value).toBeCloseTo(delong.difference, 10);
    expect(advantage.standardError / delong.standardError).toBeCloseTo(1, 2);
  });

  it('is one-sided: as sure of one model as it is unsure of the other', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('auc' as const, 'logLoss' as const, 'brier' as const),
        fc.integer({ min: 0, max: 20 }),
        (metric, seed) => {
          const { model, baseline } = simulated(0.65, String(seed));
          const better = advantageOver(metric, { model, baseline }, null)!;
          const worse = advantageOver(metric, { model: baseline, baseline: model }, null)!;
          expect(worse.value).toBeCloseTo(-better.value, 12);
          expect(better.pValue + worse.pValue).toBeCloseTo(1, 8);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is held for chance about as often as it should be, where there is none', () => {
    let shown = 0;
    for (let day = 0; day < 400; day++) {
      const { model } = simulated(0.5, `day ${day}`);
      const baseline = { ...model, probability: new Float32Array(500).fill(0.3) };
      if (advantageOver('auc', { model, baseline }, null)!.pValue <= 0.05) shown++;
    }
    // 5 % of 400, and three of its standard errors either way.
    expect(shown).toBeGreaterThan(7);
    expect(shown).toBeLessThan(34);
  });

  it('is less sure where the rows of a cluster say the same', () => {
    const random = new RandomStream(['clusters']);
    const rows = 400;
    const errors = Array.from({ length: rows / 4 }, () => nextNormal(random)).flatMap((error) =>
      new Array<number>(4).fill(error),
    );
    const labels = Float64Array.from(errors);
    const model = { kind: 'regression' as const, labels, value: new Float32Array(rows).fill(0.1) };
    const baseline = { ...model, value: new Float32Array(rows) };
    const clusters = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / 4));
    const alone = advantageOver('rmse', { model, baseline }, null)!;
    const together = advantageOver('rmse', { model, baseline }, clusters)!;
    expect(together.value).toBe(alone.value);
    // Four rows that are one: the variance is four times as large.
    expect(together.standardError / alone.standardError).toBeCloseTo(2, 6);
  });

  it('is certain where no row differs, one way or the other', () => {
    const { model } = simulated(0.7, 'same');
    expect(advantageOver('logLoss', { model, baseline: model }, null)).toMatchObject({
      value: 0,
      standardError: 0,
      pValue: 1,
    });
    const labels = Float64Array.of(1, 1);
    const right = { kind: 'regression' as const, labels, value: Float32Array.of(1, 1) };
    const wrong = { ...right, value: Float32Array.of(2, 2) };
    expect(advantageOver('mae', { model: right, baseline: wrong }, null)).toMatchObject({
      value: 1,
      pValue: 0,
    });
  });

  it('is not known where the metric is undefined', () => {
    const labels = Uint8Array.of(1, 1);
    const rows = { kind: 'binary' as const, labels, probability: new Float32Array(2), decision: labels };
    expect(advantageOver('auc', { model: rows, baseline: rows }, null)).toBeNull();
  });
});
