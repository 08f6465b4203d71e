import { describe, expect, it } from 'vitest';
import { orient, rowsToSettle, twoSided, verdictOf } from './verdict.ts';

const interval = (low: number, high: number) => ({ low, high, confidence: 0.9 });

describe('verdictOf', () => {
  it.each([
    [-0.004, 0.01, 'pass'],
    [0.001, 0.01, 'pass'],
    [-0.02, -0.006, 'fail'],
    [-0.006, 0.01, 'inconclusive'],
    [-0.005, 0.01, 'inconclusive'],
    [-0.02, -0.005, 'inconclusive'],
    [Number.NaN, Number.NaN, 'inconclusive'],
  ])('of a difference between %f and %f at a margin of 0.005 is %s', (low, high, verdict) => {
    expect(verdictOf({ value: (low + high) / 2, interval: interval(low, high) }, 0.005)).toBe(verdict);
  });
});

describe('orient', () => {
  it('leaves what is better when higher, and turns errors round, ends swapped and without -0', () => {
    const difference = { value: -2, interval: interval(-3, 0) };
    expect(orient('auc', difference)).toEqual(difference);
    expect(orient('rmse', difference)).toEqual({ value: 2, interval: interval(0, 3) });
    expect(Object.is(orient('rmse', difference).interval.low, 0)).toBe(true);
  });
});

describe('rowsToSettle', () => {
  it('grows with the square of how far the interval reaches beyond its distance from the margin', () => {
    // 0.01 from the margin, reaching 0.02: half the reach is needed, four times the rows.
    expect(rowsToSettle({ value: 0.005, interval: interval(-0.015, 0.02) }, 0.005, 1_000)).toBe(4_000);
    expect(rowsToSettle({ value: -0.015, interval: interval(-0.05, 0.005) }, 0.005, 1_000)).toBe(4_000);
  });

  it('is unknown at the margin itself', () => {
    expect(rowsToSettle({ value: -0.005, interval: interval(-0.015, 0.02) }, 0.005, 1_000)).toBeNull();
  });
});

describe('twoSided', () => {
  it('has sides that each hold at the one-sided confidence', () => {
    expect(twoSided(0.95)).toBe(0.9);
    expect(twoSided(0.975)).toBe(0.95);
  });
});
