import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOUBLE } from '@duckdb/node-api';
import { Engine } from './engine.ts';
import { histogramBins } from './histogram.ts';
import { measureSpread, type Spread } from './spread.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.open({ threads: 1, memoryLimit: '256MB', readable: [] });
});
afterAll(() => {
  engine.close();
});

async function spreadOf(values: number[]): Promise<Spread> {
  await engine.main.run('CREATE OR REPLACE TABLE measured (x DOUBLE)');
  await engine.main.append('measured', [{ type: DOUBLE, values }]);
  const whole = values.every(Number.isInteger);
  return await measureSpread(engine.main, { from: 'measured', alias: 'x', present: values.length, whole });
}

const number = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }));

describe('how values lie', () => {
  it('has the quantiles of DuckDB and all rows between the first and the last edge, for any values', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 300 }), async (drawn) => {
        const values = drawn.map((value) => value + 0);
        const { quantiles, histogram } = await spreadOf(values);
        const steps = Array.from({ length: 21 }, (_, step) => step / 20);
        const { q } = await engine.main.row<{ q: number[] }>(
          `SELECT quantile_cont(x, [${steps.join(', ')}]) AS q FROM measured`,
        );
        const size = Math.max(...values.map(Math.abs), 1);
        quantiles.forEach((quantile, i) => expect(Math.abs(quantile - q[i]!)).toBeLessThan(1e-9 * size));
        const [first, last] = [histogram.edges[0]!, histogram.edges.at(-1)!];
        const within = values.filter((value) => value >= first && value <= last).length;
        expect(histogram.rows.reduce((sum, rows) => sum + rows, 0)).toBe(within);
        expect(histogram.edges).toHaveLength(histogram.rows.length + 1);
        expect(histogram.rows.length).toBeLessThanOrEqual(32);
        expect(within).toBeGreaterThanOrEqual(Math.floor(values.length * 0.9));
      }),
      { numRuns: 40 },
    );
  });

  it('gives each of a few whole numbers a bin, in its middle', async () => {
    const { histogram } = await spreadOf([1, 1, 2, 4]);
    expect(histogram).toEqual({ edges: [0.5, 1.5, 2.5, 3.5, 4.5], rows: [2, 1, 0, 1] });
  });

  it('gives bins of whole numbers as many numbers each', () => {
    const { edges } = histogramBins([0, ...new Array<number>(19).fill(50), 99], true);
    expect([edges.length, edges[0], edges[1], edges.at(-1)]).toEqual([26, -0.5, 3.5, 99.5]);
  });

  it('does not let one stray value put all others into one bin', async () => {
    const values = Array.from({ length: 1_000 }, (_, i) => i / 1_000);
    const { histogram, quantiles } = await spreadOf([...values, 1e9]);
    expect(quantiles.at(-1)).toBe(1e9);
    expect(histogram.edges.at(-1)).toBeLessThan(2);
    expect(histogram.rows.filter((rows) => rows > 0).length).toBeGreaterThan(15);
  });

  it.each([[[7]], [[7, 7, 7]], [[0.25]], [[1e15 + 0.5, 1e15 + 0.5]], [[-1e300, 1e300]]])(
    'has all rows of %j in its bins',
    async (values) => {
      const { histogram } = await spreadOf(values);
      expect(histogram.rows.reduce((sum, rows) => sum + rows, 0)).toBe(values.length);
      expect(histogram.edges.every(Number.isFinite)).toBe(true);
    },
  );
});
