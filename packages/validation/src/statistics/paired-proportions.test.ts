import { describe, expect, it } from 'vitest';
import { PairedProportions } from './paired-proportions.ts';

describe('PairedProportions', () => {
  it('has the published values of Agresti & Min for the approval ratings of two surveys', () => {
    // 1,600 rows of which 150 and 86 disagree: Wald gives (0.021, 0.059) at 95 %, and half a row more changes the fourth digit.
    const found = new PairedProportions({ onlyFirst: 150, onlySecond: 86, rows: 1_600 });
    expect(found.lowerBound(0.025)).toBeCloseTo(0.021, 3);
    expect(found.upperBound(0.025)).toBeCloseTo(0.0587, 3);
  });

  it('is not certain where the two never disagree', () => {
    const found = new PairedProportions({ onlyFirst: 0, onlySecond: 0, rows: 100 });
    expect(found.upperBound(0.05)).toBeCloseTo(1.645 / 102, 4);
    expect(found.lowerBound(0.05)).toBeCloseTo(-found.upperBound(0.05), 12);
  });

  it('has the error as p-value of the bound at that error', () => {
    const found = new PairedProportions({ onlyFirst: 12, onlySecond: 20, rows: 400 });
    for (const error of [0.2, 0.05, 1e-4, 1e-8]) {
      expect(found.pAtMost(found.lowerBound(error)) / error).toBeCloseTo(1, 6);
      expect(found.pAtLeast(found.upperBound(error)) / error).toBeCloseTo(1, 6);
    }
  });
});
