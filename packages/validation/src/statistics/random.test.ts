import { describe, expect, it } from 'vitest';
import { LARGEST_TABLE_MEAN, PoissonCounts, poissonTable } from './poisson-counts.ts';
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

describe('nextNormal', () => {
  it('is standard normal: mean 0, variance 1, 5 % beyond 1.645', () => {
    const random = new RandomStream(['normal']);
    const values = Array.from({ length: 200_000 }, () => random.nextNormal());
    const { mean, variance } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(values.filter((value) => value > 1.6449).length / values.length).toBeCloseTo(0.05, 2);
  });
});

describe('poissonTable', () => {
  it.each([0.3, 1, 2, 49, 244, 3_000, LARGEST_TABLE_MEAN])(
    'of mean %f has that mean and variance',
    (expected) => {
      const { mean, variance } = moments(poissonTable(expected));
      expect(Math.abs(mean / expected - 1)).toBeLessThan(1e-4);
      expect(Math.abs(variance / expected - 1)).toBeLessThan(1e-3);
    },
  );

  it('gives each count its probability, to a few 2^-17', () => {
    const table = poissonTable(2);
    let probability = Math.exp(-2);
    for (let count = 0; count <= 12; count++) {
      const share = table.filter((entry) => entry === count).length / table.length;
      expect(Math.abs(share - probability)).toBeLessThan(2 ** -16);
      probability *= 2 / (count + 1);
    }
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
