import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BootstrapDistribution } from './bca.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { RandomStream } from './random.ts';

/** So many units that few of them are no concern, of influence symmetric about 0: no acceleration. */
const MANY = Float64Array.from({ length: 1_000_000 }, (_, unit) => (unit % 2 === 0 ? 1 : -1));
const UNIFORM = Float64Array.from({ length: 999 }, (_, index) => (index + 1) / 1_000);

function normalReplicates(count: number, seed = 'normal'): Float64Array {
  const random = new RandomStream([seed]);
  return Float64Array.from({ length: count }, () => random.nextNormal());
}

describe('the bootstrap interval', () => {
  it('is the plain percentile interval without bias and acceleration', () => {
    const { low, high } = new BootstrapDistribution({
      estimate: 0.5,
      replicates: UNIFORM,
      influence: MANY,
    }).interval(0.9);
    expect(low).toBeCloseTo(0.05, 5);
    expect(high).toBeCloseTo(0.95, 5);
  });

  it('moves up when most replicates lie below the estimate, as in Efron (1987), equation 2.3', () => {
    // z₀ = Φ⁻¹(0.6) and a = 0: the ends stand at Φ(2 z₀ ± 1.645).
    const { low, high } = new BootstrapDistribution({
      estimate: 0.6,
      replicates: UNIFORM,
      influence: MANY,
    }).interval(0.9);
    expect(low).toBeCloseTo(0.1273, 3);
    expect(high).toBeCloseTo(0.9843, 3);
  });

  it('moves up when the rows that count are skewed upwards', () => {
    const skewed = Float64Array.from({ length: 100 }, (_, unit) => (unit % 5 === 0 ? 4 : -1));
    const plain = Float64Array.from({ length: 100 }, (_, unit) => (unit % 2 === 0 ? 1 : -1));
    const interval = (influence: Float64Array) =>
      new BootstrapDistribution({ estimate: 0.5, replicates: UNIFORM, influence }).interval(0.9);
    expect(interval(skewed).low).toBeGreaterThan(interval(plain).low);
    expect(interval(skewed).high).toBeGreaterThan(interval(plain).high);
  });

  it('is wider on few units than on many', () => {
    const bound = (units: number) =>
      new BootstrapDistribution({
        estimate: 0.5,
        replicates: UNIFORM,
        influence: MANY.subarray(0, units),
      }).lowerBound(0.05);
    expect(bound(20)).toBeCloseTo(normalCdf(-1.7291 * Math.sqrt(20 / 19)), 3);
    expect(bound(20)).toBeLessThan(bound(100));
    expect(bound(100)).toBeLessThan(bound(1_000_000));
  });

  it('is a point where all replicates are the estimate', () => {
    const found = new BootstrapDistribution({
      estimate: 0.3,
      replicates: new Float64Array(200).fill(0.3),
      influence: new Float64Array(50),
    });
    expect(found.interval(0.9)).toEqual({ low: 0.3, high: 0.3, confidence: 0.9 });
    expect(found.interval(0.999998)).toEqual({ low: 0.3, high: 0.3, confidence: 0.999998 });
    expect([found.pAtMost(0.2999), found.pAtMost(0.3), found.pAtLeast(0.3), found.pAtLeast(0.3001)]).toEqual([
      0, 1, 1, 0,
    ]);
  });
});

describe('a bound beyond the replicates', () => {
  it('goes on as far as the normal distribution says', () => {
    const found = new BootstrapDistribution({
      estimate: 0,
      replicates: normalReplicates(2_000),
      influence: MANY,
    });
    for (const error of [1e-3, 1e-4, 1e-6, 1e-9]) {
      expect(found.lowerBound(error) / normalQuantile(error)).toBeGreaterThan(0.9);
      expect(found.lowerBound(error) / normalQuantile(error)).toBeLessThan(1.1);
    }
    expect(found.pAtMost(-5)).toBeGreaterThan(0);
    expect(found.pAtMost(-5)).toBeLessThan(1e-5);
  });

  it('never lies nearer than the replicates themselves', () => {
    // One replicate of 100 far out: the normal bound knows it only by its part of the standard error.
    const replicates = Float64Array.from({ length: 100 }, (_, index) => (index === 0 ? -50 : index / 1_000));
    const found = new BootstrapDistribution({ estimate: 0.05, replicates, influence: MANY });
    expect(found.lowerBound(1e-3)).toBe(-50);
  });
});

const distribution = fc
  .record({
    seed: fc.string(),
    replicates: fc.integer({ min: 100, max: 1_500 }),
    units: fc.integer({ min: 20, max: 5_000 }),
    offset: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
    skew: fc.double({ min: -3, max: 3, noNaN: true }),
    /** Values are rounded to so many steps: ties, as accuracy has them. */
    steps: fc.constantFrom(3, 50, 1e9),
  })
  .map(({ seed, replicates, units, offset, skew, steps }) => {
    const random = new RandomStream([seed]);
    const round = (value: number): number => Math.round(value * steps) / steps;
    return new BootstrapDistribution({
      estimate: round(offset),
      replicates: Float64Array.from({ length: replicates }, () => round(random.nextNormal())),
      influence: Float64Array.from({ length: units }, () => Math.exp(skew * random.nextNormal()) - 1),
    });
  });
const error = fc.oneof(
  fc.double({ min: 1e-9, max: 0.49, noNaN: true }),
  fc.double({ min: -9, max: -0.31, noNaN: true }).map((exponent) => 10 ** exponent),
);

describe('a p-value', () => {
  it('is below an error if and only if the bound at that error excludes the value', () => {
    fc.assert(
      fc.property(
        distribution,
        error,
        fc.double({ min: -8, max: 8, noNaN: true }),
        (found, allowed, value) => {
          expect(found.pAtMost(value) < allowed).toBe(found.lowerBound(allowed) > value);
          expect(found.pAtLeast(value) < allowed).toBe(found.upperBound(allowed) < value);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('of the bound at an error is that error, up to where the replicates end', () => {
    fc.assert(
      fc.property(distribution, error, (found, allowed) => {
        const low = found.lowerBound(allowed);
        expect(found.pAtMost(low - 1e-6)).toBeLessThanOrEqual(allowed * (1 + 1e-6));
        expect(found.pAtMost(low + 1e-6)).toBeGreaterThanOrEqual(allowed * (1 - 1e-6));
      }),
    );
  });

  it('grows with the value, within 0 and 1', () => {
    fc.assert(
      fc.property(
        distribution,
        fc.double({ min: -8, max: 8, noNaN: true }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        (found, value, step) => {
          expect(found.pAtMost(value)).toBeGreaterThanOrEqual(0);
          expect(found.pAtMost(value + step)).toBeLessThanOrEqual(1);
          expect(found.pAtMost(value + step)).toBeGreaterThanOrEqual(found.pAtMost(value));
          expect(found.pAtLeast(value + step)).toBeLessThanOrEqual(found.pAtLeast(value));
        },
      ),
    );
  });

  it('is the normal one of a normal distribution', () => {
    const found = new BootstrapDistribution({
      estimate: 0,
      replicates: normalReplicates(100_000),
      influence: MANY,
    });
    for (const value of [-3, -2, -1]) expect(found.pAtMost(value) / normalCdf(value)).toBeCloseTo(1, 0.8);
  });
});
