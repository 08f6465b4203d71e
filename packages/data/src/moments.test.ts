import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import { measureMoments, steady, type Moments } from './moments.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.open({ threads: 2, memoryLimit: '500MB', readable: [] });
});
afterAll(() => engine.close());

async function momentsOf(values: readonly (number | null)[]): Promise<Moments> {
  const rows = values.map((value) => (value === null ? '(NULL)' : `('${value}'::DOUBLE)`)).join(', ');
  const moments = await measureMoments(engine.main, `(VALUES ${rows}) AS t(x)`, ['x']);
  const found = moments.get('x');
  if (found === undefined) throw new Error('x was not measured');
  return found;
}

describe('measureMoments', () => {
  it('leaves missing values out', async () => {
    expect(await momentsOf([null, 2, null, 4])).toEqual({ count: 2, min: 2, max: 4, mean: 3, deviation: 1 });
    expect(await momentsOf([null])).toEqual({ count: 0, min: 0, max: 0, mean: 0, deviation: 0 });
  });

  it('finds no deviation in equal values', async () => {
    for (const value of [0, 0.1, -1e300, 5e-324]) {
      expect(await momentsOf([value, value, value])).toEqual({
        count: 3,
        min: value,
        max: value,
        mean: value,
        deviation: 0,
      });
    }
  });

  it('agrees with the definition, in any order of the rows and to the last bit', async () => {
    const value = fc.oneof(
      fc.integer({ min: -1000, max: 1000 }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: -1e150, max: 1e150, noNaN: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 40 }), async (values) => {
        const found = await momentsOf(values);
        const size = Math.max(...values.map(Math.abs));
        // In units of the largest: squares of very small values would vanish in the definition as it stands.
        const parts = values.map((x) => x / (size || 1));
        const mean = parts.reduce((sum, x) => sum + x / parts.length, 0);
        const variance = parts.reduce((sum, x) => sum + (x - mean) ** 2 / parts.length, 0);
        const slack = 64 * Number.MIN_VALUE;
        expect(found.min).toBe(Math.min(...values) + 0);
        expect(found.max).toBe(Math.max(...values) + 0);
        expect(Math.abs(found.mean - mean * size)).toBeLessThanOrEqual(size * 1e-14 + slack);
        expect(Math.abs(found.deviation - Math.sqrt(variance) * size)).toBeLessThanOrEqual(
          size * 1e-7 + slack,
        );
        expect(await momentsOf([...values].reverse())).toEqual(found);
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same sums on one thread as on many, over many row groups', async () => {
    await engine.main.run(
      `CREATE TABLE many AS SELECT sin(i * 1.7) * 1e5 + 1 / (i + 1) AS x FROM range(300000) t(i)`,
    );
    const parallel = await measureMoments(engine.main, 'many', ['x', 'x * x']);
    await engine.main.run('SET threads = 1');
    const single = await measureMoments(engine.main, '(FROM many ORDER BY x)', ['x', 'x * x']);
    await engine.main.run('SET threads = 2');
    expect(single).toEqual(parallel);
    expect(single.get('x')?.deviation).toBeCloseTo(1e5 / Math.SQRT2, -1);
  });
});

describe('steady', () => {
  it('keeps twelve digits', () => {
    expect(steady(1 / 3)).toBe(0.333333333333);
    expect(steady(1e-300 / 3)).toBe(3.33333333333e-301);
    expect(steady(-123456)).toBe(-123456);
    expect(steady(0.1 + 0.2)).toBe(0.3);
  });
});
