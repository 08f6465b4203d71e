import { describe, expect, it } from 'vitest';
import { PoissonCounts } from './poisson-counts.ts';
import { RandomStream } from './random.ts';

function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return { mean, variance: list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length };
}

describe('RandomStream', () => {
  it('gives the same numbers for the same seed, by one or by many', () => {
    const one = new RandomStream(['seed', 'a']);
    const many = new Uint32Array(5);
    new RandomStream(['seed', 'a']).fill(many);
    expect(Array.from(many, () => one.nextUint32())).toEqual([...many]);
  });

  it('parts for seeds that only join to the same text', () => {
    expect(new RandomStream(['ab', 'c']).nextUint32()).not.toBe(new RandomStream(['a', 'bc']).nextUint32());
  });

  it('keeps its first numbers for ever, because every interval on record depends on them', () => {
    const random = new RandomStream(['golden']);
    expect([random.nextUint32(), random.nextUint32(), random.nextUint32()]).toMatchInlineSnapshot(`
      [
        3342222192,
        3516900397,
        496262184,
      ]
    `);
  });

  it('is uniform: mean a half, variance a twelfth', () => {
    const random = new RandomStream(['uniform']);
    const { mean, variance } = moments(Array.from({ length: 200_000 }, () => random.nextFraction()));
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });
});

describe('PoissonCounts', () => {
  it('has mean, variance and zeros of Poisson(1)', () => {
    const counts = new Uint8Array(400_001);
    new PoissonCounts(new RandomStream(['poisson'])).fill(counts);
    const { mean, variance } = moments(counts);
    expect(mean).toBeCloseTo(1, 2);
    expect(variance).toBeCloseTo(1, 1.7);
    expect(counts.filter((count) => count === 0).length / counts.length).toBeCloseTo(Math.exp(-1), 2);
    expect(Math.max(...new Set(counts))).toBeGreaterThanOrEqual(6);
  });

  it('writes every count, whatever the length', () => {
    for (const length of [0, 1, 2, 3, 8_191, 8_192, 8_193]) {
      const counts = new Uint8Array(length).fill(200);
      new PoissonCounts(new RandomStream(['length', String(length)])).fill(counts);
      expect(counts.every((count) => count < 200)).toBe(true);
    }
  });
});
