import fc from 'fast-check';
import { METRICS } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import type { BinaryRows, RegressionRows } from '../scoring/scored-rows.ts';
import { metricOf } from './metric-of.ts';
import { plainValue } from './row-metric.ts';
import { differenceOfSums, sumRowsByCluster, type RowSums } from './row-sums.ts';

function weightedSums({ width, perRow }: RowSums, weights: Uint8Array): Float64Array {
  const sums = new Float64Array(width);
  perRow.forEach((value, index) => (sums[index % width]! += value * weights[Math.floor(index / width)]!));
  return sums;
}

const binary: fc.Arbitrary<BinaryRows> = fc
  .array(fc.record({ label: fc.integer({ min: 0, max: 1 }), score: fc.integer({ min: 0, max: 8 }) }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((rows) => ({
    kind: 'binary',
    labels: Uint8Array.from(rows, ({ label }) => label),
    probability: Float32Array.from(rows, ({ score }) => score / 8),
    decision: Uint8Array.from(rows, ({ score }) => (score >= 4 ? 1 : 0)),
  }));
const regression: fc.Arbitrary<RegressionRows> = fc
  .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((rows) => ({
    kind: 'regression',
    labels: Float64Array.from(rows, ([label]) => label),
    value: Float32Array.from(rows, ([, value]) => value),
  }));
const weighted = fc
  .oneof(binary, regression)
  .chain((rows) =>
    fc.tuple(
      fc.constant(rows),
      fc.uint8Array({ minLength: rows.labels.length, maxLength: rows.labels.length, max: 3 }),
    ),
  );

describe('the sums of a metric', () => {
  it('give its value under any weights, but for AUC', () => {
    fc.assert(
      fc.property(weighted, ([rows, weights]) => {
        for (const name of METRICS[rows.kind]) {
          const metric = metricOf(name, rows);
          if (name === 'auc' || plainValue(metric) === null) continue;
          const sums = metric.sums!();
          const expected = metric.value(weights);
          const found = sums.value(weightedSums(sums, weights));
          if (expected === null) expect(found).toBeNull();
          else expect(found).toBeCloseTo(expected, 9);
        }
      }),
    );
  });

  it('give AUC of the rows as they are, and under weights what its influence gives', () => {
    fc.assert(
      fc.property(binary, (rows) => {
        const metric = metricOf('auc', rows);
        const value = plainValue(metric);
        if (value === null) return;
        const sums = metric.sums!();
        const ones = new Uint8Array(metric.rows).fill(1);
        expect(sums.value(weightedSums(sums, ones))).toBeCloseTo(value, 12);
        // Twice one row: positives' and negatives' totals change too, so that both sides are taken by weights that keep them.
        const first = rows.labels.indexOf(1);
        const last = rows.labels.lastIndexOf(1);
        const moved = ones.slice();
        moved[first]! -= 1;
        moved[last]! += 1;
        const influence = metric.influence()!;
        const expected = value + (influence[last]! - influence[first]!) / metric.rows;
        expect(sums.value(weightedSums(sums, moved))).toBeCloseTo(expected, 9);
      }),
    );
  });

  it('are undefined where no row, or none of a class, is drawn', () => {
    const rows: BinaryRows = {
      kind: 'binary',
      labels: Uint8Array.of(0, 1),
      probability: Float32Array.of(0.25, 0.75),
      decision: Uint8Array.of(0, 1),
    };
    for (const name of METRICS.binary) {
      const sums = metricOf(name, rows).sums!();
      expect(sums.value(new Float64Array(sums.width))).toBeNull();
    }
    const auc = metricOf('auc', rows).sums!();
    expect(auc.value(weightedSums(auc, Uint8Array.of(3, 0)))).toBeNull();
    expect(differenceOfSums(auc, auc).value(new Float64Array(8))).toBeNull();
  });

  it('of a difference are those of its parts, and of a cluster those of its rows', () => {
    fc.assert(
      fc.property(regression, fc.integer({ min: 1, max: 5 }), (rows, count) => {
        const [rmse, mae] = [metricOf('rmse', rows).sums!(), metricOf('mae', rows).sums!()];
        const difference = differenceOfSums(rmse, mae);
        const clusters = Int32Array.from(rows.labels, (_, row) => row % count);
        const clustered = sumRowsByCluster(difference, clusters, count);
        const ofCluster = Uint8Array.from({ length: count }, (_, cluster) => (cluster === 0 ? 2 : 1));
        const ofRow = Uint8Array.from(clusters, (cluster) => ofCluster[cluster]!);
        const expected = rmse.value(weightedSums(rmse, ofRow))! - mae.value(weightedSums(mae, ofRow))!;
        expect(difference.value(weightedSums(difference, ofRow))).toBeCloseTo(expected, 9);
        expect(clustered.value(weightedSums(clustered, ofCluster))).toBeCloseTo(expected, 9);
      }),
    );
  });
});
