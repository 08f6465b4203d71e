import fc from 'fast-check';
import { METRICS } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { MetricKindError } from '../errors.ts';
import type { BinaryRows, MulticlassRows, RegressionRows, ScoredRows } from '../scoring/scored-rows.ts';
import { selectRows } from '../scoring/scored-rows.ts';
import { metricOf, metricValues } from './metric-of.ts';

function binary(labels: number[], probability: number[], threshold = 0.5): BinaryRows {
  return {
    kind: 'binary',
    labels: Uint8Array.from(labels),
    probability: Float32Array.from(probability),
    decision: Uint8Array.from(probability, (value) => (value >= threshold ? 1 : 0)),
  };
}

function multiclass(
  rows: { label: number; decision: number; probability: number }[],
  classes = 3,
): MulticlassRows {
  return {
    kind: 'multiclass',
    classes,
    classNames: Array.from({ length: classes }, (_, index) => `class ${index}`),
    labels: Int32Array.from(rows, ({ label }) => label),
    decision: Int32Array.from(rows, ({ decision }) => decision),
    labelProbability: Float32Array.from(rows, ({ probability }) => probability),
    decisionProbability: new Float32Array(rows.length),
  };
}

function regression(labels: number[], value: number[]): RegressionRows {
  return { kind: 'regression', labels: Float64Array.from(labels), value: Float32Array.from(value) };
}

const binaryRow = fc.record({ label: fc.integer({ min: 0, max: 1 }), score: fc.integer({ min: 0, max: 8 }) });
const anyBinary = fc.array(binaryRow, { minLength: 1, maxLength: 40 }).map((rows) =>
  binary(
    rows.map(({ label }) => label),
    rows.map(({ score }) => score / 8),
  ),
);
const anyMulticlass = fc
  .array(
    fc.record({
      label: fc.integer({ min: 0, max: 2 }),
      decision: fc.integer({ min: 0, max: 2 }),
      probability: fc.integer({ min: 0, max: 16 }).map((n) => n / 16),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((rows) => multiclass(rows));
const anyRegression = fc
  .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((rows) =>
    regression(
      rows.map(([label]) => label),
      rows.map(([, value]) => value),
    ),
  );
const anyRows: fc.Arbitrary<ScoredRows> = fc.oneof(anyBinary, anyMulticlass, anyRegression);

function aucByPairs({ labels, probability }: BinaryRows): number | null {
  let pairs = 0;
  let ordered = 0;
  for (let i = 0; i < labels.length; i++) {
    for (let j = 0; j < labels.length; j++) {
      if (labels[i] !== 1 || labels[j] !== 0) continue;
      pairs++;
      ordered += probability[i]! > probability[j]! ? 1 : probability[i] === probability[j] ? 0.5 : 0;
    }
  }
  return pairs === 0 ? null : ordered / pairs;
}

describe('metrics of binary labels', () => {
  it('have the values worked out by hand', () => {
    const values = metricValues(binary([0, 0, 1, 1], [0.125, 0.5, 0.375, 0.75]));
    // Of the four pairs only (0.375, 0.5) is in the wrong order; of the decisions the second and the third are wrong.
    expect(values.auc).toBe(0.75);
    expect(values.accuracy).toBe(0.5);
    expect(values.brier).toBeCloseTo((0.125 ** 2 + 0.5 ** 2 + 0.625 ** 2 + 0.25 ** 2) / 4, 12);
    expect(values.logLoss).toBeCloseTo(-Math.log(0.875 * 0.5 * 0.375 * 0.75) / 4, 12);
  });

  it('count the pairs that are in order, ties as half', () => {
    fc.assert(
      fc.property(anyBinary, (rows) => {
        const expected = aucByPairs(rows);
        const found = metricValues(rows).auc;
        if (expected === null) expect(found).toBeNull();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });

  it('have no AUC where all labels are the same, and the others all the same', () => {
    for (const label of [0, 1]) {
      const values = metricValues(binary([label, label], [0.25, 0.75]));
      expect(values.auc).toBeNull();
      expect(values.accuracy).toBe(0.5);
      expect(values.logLoss).toBeGreaterThan(0);
    }
  });

  it('charge a certainty that was wrong 34.5, not infinity', () => {
    expect(metricValues(binary([1, 0], [0, 1])).logLoss).toBeCloseTo(-Math.log(1e-15), 12);
    expect(metricValues(binary([1, 0], [1, 0])).logLoss).toBe(0);
  });
});

describe('metrics of multiclass labels', () => {
  it('have the values worked out by hand', () => {
    const values = metricValues(
      multiclass([
        { label: 0, decision: 0, probability: 0.5 },
        { label: 0, decision: 1, probability: 0.25 },
        { label: 1, decision: 1, probability: 0.5 },
        { label: 1, decision: 1, probability: 1 },
      ]),
    );
    expect(values.accuracy).toBe(0.75);
    expect(values.logLoss).toBeCloseTo(-Math.log(0.5 * 0.25 * 0.5) / 4, 12);
    // F1 of class 0 is 2·1/(2+1), of class 1 2·2/(2+3); class 2 occurs nowhere and does not count.
    expect(values.macroF1).toBeCloseTo((2 / 3 + 4 / 5) / 2, 12);
  });

  it('give a class that is never hit an F1 of 0', () => {
    expect(metricValues(multiclass([{ label: 0, decision: 1, probability: 0 }])).macroF1).toBe(0);
  });
});

describe('metrics of regressions', () => {
  it('have the values worked out by hand', () => {
    const values = metricValues(regression([1, 2, 3, 6], [1, 3, 1, 6]));
    expect(values.rmse).toBeCloseTo(Math.sqrt(5 / 4), 12);
    expect(values.mae).toBe(0.75);
    expect(values.r2).toBeCloseTo(1 - 5 / 14, 12);
  });

  it('have no R² where all labels are the same, however large', () => {
    expect(metricValues(regression([1e9 / 3, 1e9 / 3, 1e9 / 3], [1, 2, 3])).r2).toBeNull();
    expect(metricValues(regression([5], [5])).r2).toBeNull();
  });

  it('have an R² of 0 for the mean and of 1 for the truth', () => {
    expect(metricValues(regression([1, 2, 3], [2, 2, 2])).r2).toBeCloseTo(0, 12);
    expect(metricValues(regression([1, 2, 3], [1, 2, 3])).r2).toBe(1);
  });
});

describe('every metric', () => {
  it('is undefined without rows', () => {
    for (const rows of [binary([], []), multiclass([]), regression([], [])]) {
      for (const value of Object.values(metricValues(rows))) expect(value).toBeNull();
    }
  });

  it('has under weights the value that the rows would have if they stood there so often', () => {
    const weighted = anyRows.chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.uint8Array({ minLength: rows.labels.length, maxLength: rows.labels.length, max: 3 }),
      ),
    );
    fc.assert(
      fc.property(weighted, ([rows, weights]) => {
        const repeated = selectRows(
          rows,
          Uint32Array.from([...weights].flatMap((weight, row) => new Array<number>(weight).fill(row))),
        );
        for (const metric of METRICS[rows.kind]) {
          const expected = metricValues(repeated)[metric] ?? null;
          const found = metricOf(metric, rows).value(Uint8Array.from(weights));
          if (expected === null) expect(found).toBeNull();
          else expect(found).toBeCloseTo(expected, 9);
        }
      }),
    );
  });

  it('has the influence that a small change of one weight shows, and it sums to 0', () => {
    const BASE = 120;
    fc.assert(
      fc.property(anyRows, (rows) => {
        for (const name of METRICS[rows.kind]) {
          const metric = metricOf(name, rows);
          const influence = metric.influence();
          if (influence === null) continue;
          expect(influence.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 6);
          const [above, below] = [1, -1].map((step) => {
            const weights = new Uint8Array(rows.labels.length).fill(BASE);
            weights[0] = BASE + step;
            return metric.value(weights)!;
          });
          // One of 120 is a weight's change by 1/120; the change of the value is second order in it but for its middle.
          const slope = ((above! - below!) / 2) * BASE * rows.labels.length;
          const size = Math.max(1, ...influence.map(Math.abs));
          // A perfect fit is a kink of the root, where no slope exists.
          if (name !== 'rmse' || metric.value(new Uint8Array(rows.labels.length).fill(1)) !== 0) {
            expect(Math.abs(slope - influence[0]!) / size).toBeLessThan(2e-3);
          }
        }
      }),
    );
  });

  it('is refused for another kind of label, naming what is allowed', () => {
    expect(() => metricOf('rmse', binary([0], [0]))).toThrow(MetricKindError);
    expect(() => metricOf('rmse', binary([0], [0]))).toThrow(/auc, logLoss, accuracy, brier/);
    expect(() => metricOf('auc', regression([0], [0]))).toThrow(/rmse, mae, r2/);
  });
});
