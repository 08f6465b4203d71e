import { describe, expect, it } from 'vitest';
import { compareAucByDeLong } from './delong.ts';
import { normalQuantile } from './normal.ts';

describe('compareAucByDeLong', () => {
  it('has the variance that its definition over all pairs gives', () => {
    const labels = Uint8Array.from([1, 1, 1, 0, 0, 0, 0]);
    const first = Float32Array.from([0.9, 0.6, 0.4, 0.4, 0.3, 0.7, 0.1]);
    const second = Float32Array.from([0.5, 0.8, 0.2, 0.6, 0.1, 0.3, 0.2]);
    const order = (a: number, b: number): number => (a > b ? 1 : a === b ? 0.5 : 0);
    const positive = [0, 1, 2];
    const negative = [3, 4, 5, 6];
    const gap = (i: number, j: number): number => order(first[i]!, first[j]!) - order(second[i]!, second[j]!);
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = (values: number[]): number =>
      values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
    const ofPositive = positive.map((i) => mean(negative.map((j) => gap(i, j))));
    const ofNegative = negative.map((j) => mean(positive.map((i) => gap(i, j))));

    const found = compareAucByDeLong({ labels, first, second }, 0.9)!;

    expect(found.difference).toBeCloseTo(mean(ofPositive), 12);
    expect(found.standardError).toBeCloseTo(
      Math.sqrt(variance(ofPositive) / 3 + variance(ofNegative) / 4),
      12,
    );
    expect(found.interval.high - found.difference).toBeCloseTo(
      normalQuantile(0.95) * found.standardError,
      12,
    );
  });

  it('has nothing to say of a single row of one kind', () => {
    const scores = Float32Array.from([0.1, 0.2, 0.3]);
    expect(
      compareAucByDeLong({ labels: Uint8Array.from([1, 0, 0]), first: scores, second: scores }, 0.9),
    ).toBeNull();
  });
});
