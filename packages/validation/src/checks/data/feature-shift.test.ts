import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { featureShiftFindings, featureShifts } from './feature-shift.ts';
import { cardPair, type Values } from './testing/cards.ts';

/** Values at equal steps of a distribution: a sample without chance. */
function evenly(count: number, quantile: (share: number) => number): number[] {
  return Array.from({ length: count }, (_, i) => quantile((i + 0.5) / count));
}

const uniform = evenly(2_000, (share) => share * 100);

function shift(champion: Values, candidate: Values, type?: 'boolean' | 'timestamp') {
  const [found] = featureShifts(cardPair({ x: champion }, { x: candidate }, type && { x: type }));
  return found!;
}

function repeated(parts: Record<string, number>): string[] {
  return Object.entries(parts).flatMap(([value, rows]) => new Array<string>(rows).fill(value));
}

describe('featureShifts', () => {
  it('has the index by definition over the champion’s deciles', () => {
    // Every second row of the lower half is gone, and the upper half is there one and a half times.
    const moved = [...uniform.slice(0, 1_000).filter((_, i) => i % 2 === 0), ...uniform.slice(1_000)];
    moved.push(...uniform.slice(1_000).filter((_, i) => i % 2 === 0));
    const expected = 5 * (0.05 - 0.1) * Math.log(0.05 / 0.1) + 5 * (0.15 - 0.1) * Math.log(0.15 / 0.1);
    expect(shift(uniform, moved).index).toBeCloseTo(expected, 2);
  });

  it('is 0 of the same rows, and never negative', () => {
    const value = fc.option(
      fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: -10, max: 10, noNaN: true })),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 200 }),
        fc.array(value, { minLength: 1, maxLength: 200 }),
        (a, b) => {
          expect(shift(a, a).index).toBeCloseTo(0, 10);
          const { index } = shift(a, b);
          expect(index).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(index)).toBe(true);
        },
      ),
    );
  });

  it('counts every share of a category as the formula says', () => {
    const found = shift(repeated({ AA: 120, DL: 400, UA: 480 }), repeated({ AA: 30, DL: 400, UA: 570 }));
    const expected = (0.03 - 0.12) * Math.log(0.03 / 0.12) + (0.57 - 0.48) * Math.log(0.57 / 0.48);
    expect(found.index).toBeCloseTo(expected, 10);
    expect(found.description).toBe(`'AA' from 12 % to 3 % of rows`);
  });

  it('says what moved most: mean, spread, missing and new values', () => {
    const higher = uniform.map((value) => value + 50);
    expect(shift(uniform, higher).description).toBe('mean from 50 to 100');
    const narrow = uniform.map((value) => 50 + (value - 50) / 10);
    expect(shift(uniform, narrow).description).toMatch(/^standard deviation from 28\.87 to 2\.887$/);
    const holed = uniform.map((value, i) => (i % 4 === 0 ? null : value));
    expect(shift(uniform, holed).description).toBe('missing values from 0 % to 25 % of rows');
    expect(shift(repeated({ a: 900, b: 100 }), repeated({ a: 600, b: 60, c: 340 })).description).toBe(
      'rare and new values from 0 % to 34 % of rows',
    );
  });

  it('sees rows that leave the one value that all had, in either direction', () => {
    const constant = new Array<number>(500).fill(7);
    expect(shift(constant, constant).index).toBe(0);
    expect(
      shift(
        constant,
        constant.map(() => 6),
      ).index,
    ).toBeGreaterThan(1);
    expect(
      shift(
        constant,
        constant.map(() => 8),
      ).index,
    ).toBeGreaterThan(1);
    expect(
      shift(
        constant,
        constant.map(() => null),
      ).index,
    ).toBeGreaterThan(1);
    expect(
      shift(
        constant.map(() => null),
        constant,
      ).index,
    ).toBeGreaterThan(1);
  });

  it('counts times from the beginning of their training rows', () => {
    const day = 86_400_000;
    const times = uniform.map((value) => Date.UTC(2001, 0, 1) + (value / 100) * 28 * day);
    const cards = cardPair({ x: times }, { x: times.map((time) => time + 60 * day) }, { x: 'timestamp' });
    cards.candidate.splits.train.from = '2001-03-02T00:00:00.000Z';
    expect(featureShifts(cards)[0]!.index).toBeCloseTo(0, 10);
    cards.candidate.splits.train.from = '2001-01-01T00:00:00.000Z';
    expect(featureShifts(cards)[0]).toMatchObject({
      description: 'median from 2001-01-15 00:00 to 2001-03-16 00:00',
    });
  });

  it('puts the most moved first and leaves out columns that one card lacks', () => {
    const cards = cardPair(
      { a: uniform, b: uniform, gone: uniform },
      { a: uniform, b: uniform.map((value) => value * 3), fresh: uniform },
    );
    expect(featureShifts(cards).map(({ column, feature }) => [column, feature])).toEqual([
      ['b', 'b_feature'],
      ['a', 'a_feature'],
    ]);
  });
});

describe('featureShiftFindings', () => {
  it('fails for each feature above 0.25, and passes where there is none', () => {
    const cards = cardPair({ a: uniform, b: uniform }, { a: uniform, b: uniform.map((value) => value + 50) });
    const shifts = featureShifts(cards);
    expect(featureShiftFindings(shifts)).toMatchObject([
      {
        name: 'feature-shift',
        subject: 'b_feature',
        outcome: 'fail',
        limit: 0.25,
        explanation: `The training rows of b_feature (column 'b') have moved far from the champion's: mean from 50 to 100.`,
      },
    ]);
    expect(featureShiftFindings(shifts.slice(1))).toMatchObject([
      { subject: null, outcome: 'pass', measured: 0 },
    ]);
    expect(featureShiftFindings([])).toMatchObject([{ subject: null, outcome: 'pass', measured: null }]);
  });
});
