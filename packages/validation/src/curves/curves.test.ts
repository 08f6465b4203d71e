import { curvesSchema } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AucMetric } from '../metrics/auc.ts';
import { plainValue } from '../metrics/row-metric.ts';
import type { BinaryRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { simulateBinary } from '../testing/simulated-models.ts';
import { curvesOf } from './curves.ts';
import { precisionRecallPoints } from './precision-recall.ts';
import { rocPoints } from './roc.ts';
import { thinCurve, type CurvePoints } from './thin.ts';
import { thresholdCounts } from './threshold-counts.ts';

function binary(labels: number[], probability: number[]): BinaryRows {
  return {
    kind: 'binary',
    labels: Uint8Array.from(labels),
    probability: Float32Array.from(probability),
    decision: Uint8Array.from(probability, (value) => (value >= 0.5 ? 1 : 0)),
  };
}

const bothLabels = fc
  .array(fc.record({ label: fc.constantFrom(0, 1), score: fc.integer({ min: 0, max: 16 }) }), {
    minLength: 2,
    maxLength: 60,
  })
  .filter((rows) => new Set(rows.map(({ label }) => label)).size === 2)
  .map((rows) =>
    binary(
      rows.map(({ label }) => label),
      rows.map(({ score }) => score / 16),
    ),
  );

/** A day of 20,000 rows whose AUC is 0.75. */
function manyRows(): BinaryRows {
  const random = new RandomStream(['curves']);
  const { labels, candidate } = simulateBinary({
    random,
    rows: 20_000,
    candidateAuc: 0.75,
    championAuc: 0.75,
  });
  return binary(
    [...labels],
    Array.from(candidate, (score) => 1 / (1 + Math.exp(-score))),
  );
}

/** Area under straight lines between the points. */
function area(points: readonly (readonly [number, number])[]): number {
  return points.slice(1).reduce((sum, [x, y], i) => sum + ((x - points[i]![0]) * (y + points[i]![1])) / 2, 0);
}

const pairs = ({ x, y }: CurvePoints): [number, number][] => Array.from(x, (value, i) => [value, y[i]!]);

describe('the ROC curve', () => {
  it('encloses the AUC, ties or not, and rises from corner to corner', () => {
    fc.assert(
      fc.property(bothLabels, (rows) => {
        const points = pairs(rocPoints(thresholdCounts(rows)));
        expect(points[0]).toEqual([0, 0]);
        expect(points.at(-1)).toEqual([1, 1]);
        expect(area(points)).toBeCloseTo(plainValue(new AucMetric(rows.labels, rows.probability))!, 10);
        for (const [i, [x, y]] of points.slice(1).entries()) {
          expect(x).toBeGreaterThanOrEqual(points[i]![0]);
          expect(y).toBeGreaterThanOrEqual(points[i]![1]);
        }
      }),
    );
  });

  it('keeps its area when it is thinned to 200 of 20,000 points', () => {
    const rows = manyRows();
    const { roc } = curvesOf(rows)!;
    expect(roc).toHaveLength(200);
    const auc = plainValue(new AucMetric(rows.labels, rows.probability))!;
    expect(Math.abs(area(roc) - auc)).toBeLessThan(0.002);
  });
});

describe('the precision-recall curve', () => {
  it('passes through precision and recall at every score', () => {
    const points = pairs(precisionRecallPoints(thresholdCounts(binary([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]))));
    const through = [
      [0, 1],
      [0.5, 1],
      [0.5, 0.5],
      [1, 2 / 3],
      [1, 0.5],
    ];
    for (const point of through) expect(points).toContainEqual(point);
  });

  it('follows the counts between two scores and not a straight line', () => {
    // Half the positives alone at the top, then all other rows at one score: a straight line would say 0.75 halfway.
    const labels = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    const scores = [0.9, 0.9, 0.9, 0.9, ...new Array<number>(12).fill(0.1)];
    const points = pairs(precisionRecallPoints(thresholdCounts(binary(labels, scores))));
    const halfway = points.find(([recall]) => Math.abs(recall - 0.75) < 1e-9)!;
    expect(halfway[1]).toBeCloseTo(6 / 10, 10);
  });

  it('has an average precision of 1 for a perfect order, and the share of positives for no order at all', () => {
    expect(curvesOf(binary([0, 1, 0, 1], [0.1, 0.8, 0.2, 0.9]))!.averagePrecision).toBe(1);
    expect(curvesOf(binary([0, 1, 0, 0], [0.5, 0.5, 0.5, 0.5]))!.averagePrecision).toBe(0.25);
  });

  it('weighs precision by the recall that each score adds', () => {
    fc.assert(
      fc.property(bothLabels, (rows) => {
        const scores = [...new Set(rows.probability)].sort((a, b) => b - a);
        const positives = rows.labels.reduce((sum, label) => sum + label, 0);
        let expected = 0;
        let before = 0;
        for (const score of scores) {
          const above = [...rows.labels.keys()].filter((row) => rows.probability[row]! >= score);
          const found = above.reduce((sum, row) => sum + rows.labels[row]!, 0);
          expected += ((found - before) / positives) * (found / above.length);
          before = found;
        }
        expect(curvesOf(rows)!.averagePrecision).toBeCloseTo(expected, 10);
      }),
    );
  });
});

describe('curves', () => {
  it('are what the contract says, for any rows of both labels', () => {
    fc.assert(
      fc.property(bothLabels, (rows) => {
        const curves = curvesOf(rows)!;
        expect(curvesSchema.parse(curves)).toEqual(curves);
        for (const curve of [curves.roc, curves.precisionRecall]) {
          const x = curve.map(([value]) => value);
          expect(x).toEqual([...x].sort((a, b) => a - b));
          expect(curve.flat().every((value) => value >= 0 && value <= 1)).toBe(true);
        }
      }),
    );
    const many = curvesOf(manyRows())!;
    expect(curvesSchema.parse(many)).toEqual(many);
  });

  it.each([
    ['no rows', binary([], [])],
    ['negative rows only', binary([0, 0], [0.1, 0.9])],
    ['positive rows only', binary([1, 1], [0.1, 0.9])],
  ])('are not drawn of %s', (_, rows) => {
    expect(curvesOf(rows)).toBeNull();
  });

  it('are not drawn of numbers', () => {
    expect(
      curvesOf({ kind: 'regression', labels: Float64Array.of(1, 2), value: Float32Array.of(1, 2) }),
    ).toBeNull();
  });
});

describe('thinCurve', () => {
  const coordinate = fc.double({ min: 0, max: 1, noNaN: true });
  const curve = fc
    .array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 80 })
    .map((points) => points.sort((a, b) => a[0] - b[0]));
  const thin = (points: [number, number][], most: number) =>
    thinCurve({ x: Float64Array.from(points, ([x]) => x), y: Float64Array.from(points, ([, y]) => y) }, most);

  it('keeps the ends and points of the curve only, in order, and no more than asked for', () => {
    fc.assert(
      fc.property(curve, fc.integer({ min: 2, max: 40 }), (points, most) => {
        const kept = thin(points, most);
        expect(kept.length).toBeLessThanOrEqual(most);
        expect(kept[0]).toEqual(points[0]);
        expect(kept.at(-1)).toEqual(points.at(-1));
        for (const point of kept) expect(points).toContainEqual(point);
        expect(kept).toEqual([...kept].sort((a, b) => a[0] - b[0]));
      }),
    );
  });

  it('drops what lies on a line, and keeps a spike that is one point of a thousand', () => {
    const line = Array.from({ length: 1_000 }, (_, i): [number, number] => [i / 999, i / 999]);
    expect(thin(line, 200)).toEqual([line[0], line[999]]);
    const spike: [number, number] = [line[500]![0], 1];
    expect(thin(line.with(500, spike), 5)).toContainEqual(spike);
  });

  it('makes nothing of nothing', () => {
    expect(thin([], 200)).toEqual([]);
  });
});
