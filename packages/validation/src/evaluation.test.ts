import { evaluationSchema } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { confusionOf } from './confusion.ts';
import { evaluationOf } from './evaluation.ts';
import type { BinaryRows, MulticlassRows, ScoredRows } from './scoring/scored-rows.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const BINARY: BinaryRows = {
  kind: 'binary',
  labels: Uint8Array.of(0, 1, 1, 0),
  probability: Float32Array.of(0.25, 0.75, 0.25, 0.75),
  decision: Uint8Array.of(0, 1, 0, 1),
};
const MULTICLASS: MulticlassRows = {
  kind: 'multiclass',
  classes: 3,
  classNames: ['early', 'on time', 'late'],
  labels: Int32Array.of(0, 2, 2, 1),
  decision: Int32Array.of(0, 2, 1, 1),
  labelProbability: Float32Array.of(0.5, 0.5, 0.25, 0.5),
  decisionProbability: Float32Array.of(0.5, 0.5, 0.5, 0.5),
};
const REGRESSION: ScoredRows = {
  kind: 'regression',
  labels: Float64Array.of(1, 2, 3),
  value: Float32Array.of(1, 2, 5),
};

const evaluate = (scored: ScoredRows, slices: { slice: Record<string, string>; rows: Uint32Array }[] = []) =>
  evaluationOf({ artifact: DIGEST, dataset: DIGEST, scored, slices, intervals: {} });

describe('evaluationOf', () => {
  it('fills every part for a binary label, and evaluates slices of one column and of two', async () => {
    const evaluation = await evaluate(BINARY, [
      { slice: { origin: 'ORD' }, rows: Uint32Array.of(0, 1) },
      { slice: { origin: 'ORD', carrier: 'AA' }, rows: Uint32Array.of(1) },
    ]);
    expect(evaluationSchema.parse(evaluation)).toEqual(evaluation);
    expect(evaluation).toMatchObject({
      rows: 4,
      split: 'test',
      metrics: { auc: 0.5, accuracy: 0.5 },
      meanPrediction: 0.5,
      meanLabel: 0.5,
      slices: [
        { slice: { origin: 'ORD' }, rows: 2, metrics: { auc: 1, accuracy: 1 } },
        { slice: { origin: 'ORD', carrier: 'AA' }, rows: 1, metrics: { auc: null, accuracy: 1 } },
      ],
      calibration: { error: 0.25 },
      curves: { averagePrecision: 0.5 },
      confusion: {
        classes: ['false', 'true'],
        counts: [
          [1, 1],
          [1, 1],
        ],
      },
    });
  });

  it('has calibration and confusion of a multiclass label, and no curves', async () => {
    const evaluation = await evaluate(MULTICLASS);
    expect(evaluationSchema.parse(evaluation)).toEqual(evaluation);
    expect(evaluation).toMatchObject({
      curves: null,
      meanPrediction: null,
      calibration: { error: 0.25 },
      confusion: {
        classes: ['early', 'on time', 'late'],
        counts: [
          [1, 0, 0],
          [0, 1, 0],
          [0, 1, 1],
        ],
      },
    });
  });

  it('has neither of a regression', async () => {
    const evaluation = await evaluate(REGRESSION);
    expect(evaluationSchema.parse(evaluation)).toEqual(evaluation);
    expect(evaluation).toMatchObject({ calibration: null, curves: null, confusion: null, meanLabel: 2 });
  });

  it('says without rows that there is nothing to say', async () => {
    const nothing: BinaryRows = {
      kind: 'binary',
      labels: new Uint8Array(),
      probability: new Float32Array(),
      decision: new Uint8Array(),
    };
    const evaluation = await evaluate(nothing);
    expect(evaluationSchema.parse(evaluation)).toEqual(evaluation);
    expect(evaluation).toMatchObject({
      rows: 0,
      metrics: { auc: null, logLoss: null },
      calibration: null,
      curves: null,
      meanLabel: null,
    });
  });
});

describe('confusionOf', () => {
  it('counts every row once', () => {
    const { counts } = confusionOf(MULTICLASS)!;
    expect(counts.flat().reduce((sum, rows) => sum + rows, 0)).toBe(4);
  });

  it('draws no table of more than 50 classes', () => {
    const of = (classes: number) =>
      confusionOf({
        ...MULTICLASS,
        classes,
        classNames: Array.from({ length: classes }, (_, index) => `class ${index}`),
      });
    expect(of(50)!.counts).toHaveLength(50);
    expect(of(51)).toBeNull();
  });
});
