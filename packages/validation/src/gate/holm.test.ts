import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holm } from './holm.ts';

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

describe('holm', () => {
  it('has the values worked out by hand', () => {
    // In order 0.005, 0.01, 0.03, 0.04: 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04 raised to the one before.
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.02])).toEqual([0.02]);
    expect(holm([])).toEqual([]);
  });

  it('lies between the p-value and that of Bonferroni', () => {
    fc.assert(
      fc.property(pValues, (raw) => {
        holm(raw).forEach((adjusted, index) => {
          expect(adjusted).toBeGreaterThanOrEqual(raw[index]!);
          expect(adjusted).toBeLessThanOrEqual(Math.min(1, raw[index]! * raw.length));
        });
      }),
    );
  });

  it('keeps the order of the p-values, and charges the least the whole number of them', () => {
    fc.assert(
      fc.property(pValues, (raw) => {
        const adjusted = holm(raw);
        for (let i = 0; i < raw.length; i++) {
          for (let j = 0; j < raw.length; j++) {
            if (raw[i]! <= raw[j]!) expect(adjusted[i]!).toBeLessThanOrEqual(adjusted[j]!);
          }
        }
        const least = raw.indexOf(Math.min(...raw));
        if (least >= 0) expect(adjusted[least]).toBe(Math.min(1, raw.length * raw[least]!));
      }),
    );
  });

  it('rejects what stepping down from the least p-value rejects', () => {
    const error = 0.05;
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { maxLength: 8 }), (raw) => {
        const ascending = [...raw].sort((a, b) => a - b);
        const first = ascending.findIndex((value, rank) => (raw.length - rank) * value >= error);
        const rejected = first === -1 ? raw.length : first;
        expect(holm(raw).filter((value) => value < error)).toHaveLength(rejected);
      }),
    );
  });
});
