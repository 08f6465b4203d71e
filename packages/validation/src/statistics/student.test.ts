import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractForFewUnits, expandForFewUnits } from './student.ts';

describe('expandForFewUnits', () => {
  it.each([
    // Exact quantiles of Student's t at 95 % and 99.9 % for 19 and 49 degrees of freedom.
    [1.6448536, 20, 1.7291328],
    [3.0902323, 20, 3.5794001],
    [1.6448536, 50, 1.6765509],
    [3.0902323, 50, 3.2650787],
  ])(
    'is Student’s quantile for %f on %i units, and wider by the unit lost to the mean',
    (normal, units, student) => {
      const exact = student * Math.sqrt(units / (units - 1));
      expect(Math.abs(expandForFewUnits(normal, units) / exact - 1)).toBeLessThan(1e-3);
      expect(expandForFewUnits(-normal, units)).toBe(-expandForFewUnits(normal, units));
    },
  );

  it('changes nothing on very many units, nor where there is nothing to go by', () => {
    expect(expandForFewUnits(-1.6448536, 1e8)).toBeCloseTo(-1.6448536, 6);
    expect(expandForFewUnits(-1.6448536, 1)).toBe(-1.6448536);
    expect(expandForFewUnits(0, 20)).toBe(0);
  });

  it('is undone by contractForFewUnits', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -6, max: 6, noNaN: true }),
        fc.integer({ min: 20, max: 1e6 }),
        (normal, units) => {
          expect(contractForFewUnits(expandForFewUnits(normal, units), units)).toBeCloseTo(normal, 9);
        },
      ),
    );
  });
});
