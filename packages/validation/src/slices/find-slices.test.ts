import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSlices, MOST_PAIRS, MOST_SLICES_OF_A_COLUMN } from './find-slices.ts';
import { selectSliceRows, SliceColumns } from './slice-columns.ts';

function coded(columns: Record<string, string[]>, batchRows = 7) {
  const rows = Object.values(columns)[0]?.length ?? 0;
  const found = new SliceColumns(Object.keys(columns), rows);
  for (let start = 0; start < rows; start += batchRows) {
    const batch = Object.entries(columns).map(([name, values]) => [
      name,
      values.slice(start, start + batchRows),
    ]);
    found.add(Object.fromEntries(batch) as Record<string, string[]>, Math.min(batchRows, rows - start));
  }
  return found.finish();
}

const repeated = (value: string, times: number): string[] => new Array<string>(times).fill(value);

describe('findSlices', () => {
  it('finds the rows of every value and pair that is large enough, whatever the batches', async () => {
    const text = fc.constantFrom('a', 'b', '');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text, text), { maxLength: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 30 }),
        async (rows, batchRows, minRows) => {
          const x = rows.map(([first]) => first);
          const y = rows.map(([, second]) => second);
          const { slices } = await findSlices(coded({ x, y }, batchRows), { pairs: true, minRows });
          for (const { slice, rows: found } of slices) {
            const expected = [...rows.keys()].filter(
              (row) => (slice['x'] ?? x[row]) === x[row] && (slice['y'] ?? y[row]) === y[row],
            );
            expect([...found]).toEqual(expected);
            expect(found.length).toBeGreaterThanOrEqual(minRows);
          }
          const singles = slices.filter(({ slice }) => Object.keys(slice).length === 1);
          const values = [x, y].flatMap((column) =>
            [...new Set(column)].filter((v) => column.filter((other) => other === v).length >= minRows),
          );
          expect(singles).toHaveLength(values.length);
        },
      ),
    );
  });

  it('counts what is too small, and leaves out a pair that is one of its values again', async () => {
    const x = [...repeated('large', 60), ...repeated('small', 10)];
    const y = [...repeated('same', 60), ...repeated('other', 10)];
    const found = await findSlices(coded({ x, y }), { pairs: true, minRows: 30 });
    expect(found.slices.map(({ slice }) => slice)).toEqual([{ x: 'large' }, { y: 'same' }]);
    expect(found.tooSmall).toBe(2);
  });

  it('counts a pair that is too small though both its values are large', async () => {
    const x = [...repeated('a', 60), ...repeated('b', 60)];
    const y = [...repeated('p', 50), ...repeated('q', 70)];
    const found = await findSlices(coded({ x, y }), { pairs: true, minRows: 30 });
    expect(found.slices.map(({ slice }) => slice)).toEqual([{ x: 'a' }, { x: 'b' }, { y: 'q' }, { y: 'p' }]);
    // a and q share 10 rows; b and q are b again, a and p are p again.
    expect(found.tooSmall).toBe(1);
  });

  it('makes no pairs where none are asked for', async () => {
    const columns = coded({ x: repeated('a', 60), y: [...repeated('p', 30), ...repeated('q', 30)] });
    const found = await findSlices(columns, { pairs: false, minRows: 10 });
    expect(found.slices).toHaveLength(3);
  });

  it('keeps the hundred largest values of a column and the two hundred largest pairs', async () => {
    const values = Array.from({ length: MOST_SLICES_OF_A_COLUMN + 5 }, (_, value) =>
      repeated(`v${value}`, 30 + value),
    ).flat();
    const sides = values.map((_, row) => ['left', 'right', 'middle'][row % 3]!);
    const { slices } = await findSlices(coded({ values, sides }, 1_000), { pairs: true, minRows: 10 });
    const named = (name: string) => slices.filter(({ slice }) => Object.keys(slice).join() === name);
    expect(named('values')).toHaveLength(MOST_SLICES_OF_A_COLUMN);
    expect(named('values')[0]!.slice).toEqual({ values: `v${MOST_SLICES_OF_A_COLUMN + 4}` });
    expect(named('values,sides')).toHaveLength(MOST_PAIRS);
  });
});

describe('selectSliceRows', () => {
  it('keeps the values of the rows that are selected', async () => {
    const columns = selectSliceRows(coded({ x: ['a', 'b', 'a', 'c'] }), Uint32Array.of(1, 3));
    const { slices } = await findSlices(columns, { pairs: false, minRows: 1 });
    expect(slices.map(({ slice, rows }) => [slice['x'], [...rows]])).toEqual([
      ['b', [0]],
      ['c', [1]],
    ]);
  });
});
