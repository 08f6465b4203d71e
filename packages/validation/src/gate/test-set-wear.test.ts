import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalCdf } from '../statistics/normal.ts';
import { chiSquareQuantile, chiSquareTail } from './chi-square.ts';
import { errorOfComparison, isSpent, wearOf } from './test-set-wear.ts';

const SPLIT = `sha256:${'5'.repeat(64)}`;

describe('the chi-square distribution', () => {
  it.each([
    // Abramowitz & Stegun, table 26.8.
    [3.84146, 1, 0.05],
    [5.99146, 2, 0.05],
    [11.3449, 3, 0.01],
    [18.307, 10, 0.05],
    [29.5883, 10, 0.001],
    [124.342, 100, 0.05],
  ])('lies above %f at %i degrees of freedom with probability %f', (value, degrees, tail) => {
    expect(chiSquareTail(value, degrees)).toBeCloseTo(tail, 5);
    expect(chiSquareQuantile(tail, degrees)).toBeCloseTo(value, 3);
  });

  it('is that of one squared normal number at one degree of freedom', () => {
    for (const z of [0.5, 1, 3, 8]) expect(chiSquareTail(z * z, 1) / (2 * normalCdf(-z))).toBeCloseTo(1, 9);
  });

  it('gives back the tail of its quantile, also where that is tiny', () => {
    fc.assert(
      fc.property(fc.integer({ min: -20, max: -1 }), fc.integer({ min: 1, max: 60 }), (power, degrees) => {
        const tail = 10 ** power;
        expect(chiSquareTail(chiSquareQuantile(tail, degrees), degrees) / tail).toBeCloseTo(1, 6);
      }),
    );
  });

  it('lies above 0 always', () => {
    expect(chiSquareTail(0, 3)).toBe(1);
  });
});

describe('the error that a question may make', () => {
  it('is four fifths of the allowed one for the first, and far less for each one after', () => {
    const errors = [1, 2, 3].map((comparison) =>
      errorOfComparison({ allowed: 0.05, comparison, metrics: 1 }),
    );
    expect(errors[0]).toBeCloseTo(0.04, 12);
    expect(errors[1]).toBeCloseTo(9.43e-4, 5);
    expect(errors[2]).toBeCloseTo(4.66e-5, 7);
  });

  it('never sums to more than what is allowed, and falls with the metrics that are told', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.4, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        (allowed, metrics) => {
          const errors = Array.from({ length: 30 }, (_, index) =>
            errorOfComparison({ allowed, comparison: index + 1, metrics }),
          );
          expect(errors.reduce((sum, error) => sum + error, 0)).toBeLessThanOrEqual(allowed);
          errors.slice(1).forEach((error, index) => expect(error).toBeLessThan(errors[index]!));
          const more = errorOfComparison({ allowed, comparison: 2, metrics: metrics + 1 });
          expect(more).toBeLessThan(errors[1]!);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is nothing, and no failure, after more questions than numbers can tell', () => {
    expect(errorOfComparison({ allowed: 0.05, comparison: 1_000, metrics: 8 })).toBe(0);
  });
});

describe('the wear of a test set', () => {
  const question = { allowed: 0.05, metrics: 1 };

  it('says how many more questions the rows are good for', () => {
    expect(wearOf(SPLIT, { budget: 10, comparison: 1 }, question)).toMatchObject({ comparison: 1, left: 9 });
    expect(wearOf(SPLIT, { budget: 10, comparison: 10 }, question)).toMatchObject({ left: 0 });
    expect(isSpent({ budget: 10, comparison: 10 })).toBe(false);
  });

  it('leaves no error once the budget is spent', () => {
    expect(isSpent({ budget: 10, comparison: 11 })).toBe(true);
    expect(wearOf(SPLIT, { budget: 10, comparison: 11 }, question)).toMatchObject({ error: 0, left: 0 });
  });
});
