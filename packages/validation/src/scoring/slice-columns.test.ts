import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEWEST_SLICE_ROWS, MOST_SLICES_OF_A_COLUMN, SliceColumns } from './slice-columns.ts';

function slicesOf(values: string[], batchRows = values.length || 1) {
  const columns = new SliceColumns(['origin'], values.length);
  for (let start = 0; start < values.length; start += batchRows) {
    const batch = values.slice(start, start + batchRows);
    columns.add({ origin: batch }, batch.length);
  }
  return columns.finish();
}

describe('SliceColumns', () => {
  it('groups the rows of each value, the largest slice first, whatever the batches', () => {
    const value = fc.constantFrom('ORD', 'ATL', 'LAX', '');
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 300 }),
        fc.integer({ min: 1, max: 70 }),
        (values, batchRows) => {
          const found = slicesOf(values, batchRows);
          for (const { value: name, rows } of found) {
            expect([...rows]).toEqual([...values.keys()].filter((row) => values[row] === name));
          }
          const sizes = found.map(({ rows }) => rows.length);
          expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
          const large = [...new Set(values)].filter(
            (name) => values.filter((other) => other === name).length >= FEWEST_SLICE_ROWS,
          );
          expect(new Set(found.map(({ value: name }) => name))).toEqual(new Set(large));
        },
      ),
    );
  });

  it('keeps the hundred largest of a column', () => {
    const values = Array.from({ length: MOST_SLICES_OF_A_COLUMN + 20 }, (_, value) =>
      new Array<string>(FEWEST_SLICE_ROWS + value).fill(`v${value}`),
    ).flat();
    const found = slicesOf(values);
    expect(found).toHaveLength(MOST_SLICES_OF_A_COLUMN);
    expect(found[0]!.value).toBe(`v${MOST_SLICES_OF_A_COLUMN + 19}`);
    expect(found.at(-1)!.value).toBe('v20');
  });

  it('leaves out a slice of 29 rows and reports one of 30', () => {
    const values = [...new Array<string>(29).fill('few'), ...new Array<string>(30).fill('enough')];
    expect(slicesOf(values).map(({ value }) => value)).toEqual(['enough']);
  });
});
