import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutRows } from './cut-rows.ts';

it('gives every row once, in order, in stretches of less than twice the target', () => {
  const groups = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      fc.record({ sizes: groups, a: fc.nat(), b: fc.nat(), target: fc.integer({ min: 1, max: 200 }) }),
      ({ sizes, a, b, target }) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const from = a % total;
        const rows = b % (total - from + 1);
        const ranges = cutRows(sizes, { from, rows }, target);
        let next = from;
        for (const range of ranges) {
          expect(range.from).toBe(next);
          expect(range.rows).toBeGreaterThan(0);
          expect(range.rows).toBeLessThan(2 * target);
          next += range.rows;
        }
        expect(next).toBe(from + rows);
      },
    ),
  );
});

it('cuts where row groups end', () => {
  const all = { from: 0, rows: 1_000 };
  expect(cutRows([300, 300, 400], all, 250).map(({ rows }) => rows)).toEqual([300, 300, 400]);
  expect(cutRows([100, 100, 100, 700], all, 250).map(({ rows }) => rows)).toEqual([300, 250, 450]);
  expect(cutRows([1_000], all, 400).map(({ rows }) => rows)).toEqual([400, 600]);
  expect(cutRows([0], { from: 0, rows: 0 }, 400)).toEqual([]);
});
