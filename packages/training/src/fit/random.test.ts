import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream, seedProcess } from './random.ts';

describe('a random stream', () => {
  it('is the same for the same seed, on every machine', () => {
    const stream = new RandomStream(1);
    // From another port of the authors' C code, its state filled by splitmix32 from 1.
    expect([stream.uint32(), stream.uint32(), stream.uint32()]).toEqual([393288148, 2174103013, 3814759091]);
  });

  it('shuffles without losing or doubling a row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 300 }), (seed, length) => {
        const rows = Uint32Array.from({ length }, (_, i) => i);
        new RandomStream(seed).shuffle(rows);
        expect([...rows].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
      }),
    );
  });

  it('spreads evenly over a small range', () => {
    const stream = new RandomStream(7);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[stream.below(10)]! += 1;
    // Six standard deviations of a binomial with 100,000 draws at 0.1.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(6 * Math.sqrt(9_000));
  });

  it('gives numbers from 0 up to but not including 1', () => {
    const stream = new RandomStream(3);
    const numbers = Array.from({ length: 10_000 }, () => stream.float());
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(numbers.reduce((sum, x) => sum + x, 0) / numbers.length).toBeCloseTo(0.5, 1);
  });
});

describe('a seeded process', () => {
  it('draws the same from Math.random again', () => {
    const original = Math.random;
    try {
      seedProcess(5);
      const first = [Math.random(), Math.random()];
      seedProcess(5);
      expect([Math.random(), Math.random()]).toEqual(first);
      seedProcess(6);
      expect(Math.random()).not.toBe(first[0]);
    } finally {
      Math.random = original;
    }
  });
});
