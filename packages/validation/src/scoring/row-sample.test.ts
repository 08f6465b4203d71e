import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SamplePicker } from './row-sample.ts';

/** Picks from rows whose values are their numbers, in batches. */
function pick(
  rows: number,
  { eligible, most, batchRows }: { eligible: number[]; most: number; batchRows: number },
) {
  const picker = new SamplePicker(Uint32Array.from(eligible), most);
  for (let start = 0; start < rows; start += batchRows) {
    const numbers = Array.from({ length: Math.min(batchRows, rows - start) }, (_, row) => start + row);
    const columns = {
      number: Float64Array.from(numbers),
      time: BigInt64Array.from(numbers, BigInt),
      text: numbers.map(String),
    };
    picker.add({ rows: numbers.length, columns }, numbers.map(String));
  }
  return picker.finish();
}

describe('SamplePicker', () => {
  it('picks so many of the eligible rows, with every column and label of theirs, whatever the batches', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 99 })),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 1, max: 40 }),
        (chosen, most, batchRows) => {
          const eligible = [...chosen].sort((a, b) => a - b);
          const { rows, batch, labels } = pick(100, { eligible, most, batchRows });
          expect(rows).toHaveLength(Math.min(most, eligible.length));
          expect([...new Set(rows)].every((row) => eligible.includes(row))).toBe(true);
          expect(new Set(rows).size).toBe(rows.length);
          expect(batch.rows).toBe(rows.length);
          expect(batch.columns['number']).toEqual(Float64Array.from(rows));
          expect(batch.columns['time']).toEqual(BigInt64Array.from([...rows].map(BigInt)));
          expect(batch.columns['text']).toEqual([...rows].map(String));
          expect(labels).toEqual([...rows].map(String));
        },
      ),
    );
  });

  it('spreads them evenly', () => {
    const eligible = Array.from({ length: 100 }, (_, row) => row);
    expect([...pick(100, { eligible, most: 4, batchRows: 30 }).rows]).toEqual([0, 25, 50, 75]);
  });
});
