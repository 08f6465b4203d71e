import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cardPair, type Values } from './testing/cards.ts';
import { unitChangeFindings } from './unit-change.ts';

const lengths = Array.from({ length: 3_000 }, (_, i) => 20 + 2_000 * ((i + 0.5) / 3_000) ** 2);
/** Degrees Celsius of a mild month. */
const degrees = Array.from(
  { length: 3_000 },
  (_, i) => 12 + 9 * Math.sin((i / 3_000) * Math.PI - Math.PI / 2) + (i % 7) / 3,
);

function finding(champion: Values, candidate: Values) {
  const [found] = unitChangeFindings(cardPair({ x: champion }, { x: candidate }));
  return found!;
}

describe('unitChangeFindings', () => {
  it.each([
    [1.609344, 'miles to kilometres', '1.609'],
    [1 / 1.609344, 'kilometres to miles', '0.6214'],
    [60, 'minutes to seconds', '60'],
    [1 / 60, 'seconds to minutes', '0.01667'],
    [0.3048, 'feet to metres', '0.3048'],
    [0.45359237, 'pounds to kilograms', '0.4536'],
    [100, 'currency to cents', '100'],
    [0.01, 'percent to shares', '0.01'],
    [1_000, 'seconds to milliseconds', '1,000'],
    [0.001, 'milliseconds to seconds', '0.001'],
  ])('fails at × %d, naming %s', (factor, units, spoken) => {
    const found = finding(
      lengths,
      lengths.map((value) => value * factor),
    );
    expect(found).toMatchObject({ name: 'unit-change', outcome: 'fail', subject: 'x_feature' });
    expect(found.measured).toBeCloseTo(factor, 6);
    expect(found.explanation).toContain(`× ${spoken} (as from`);
    expect(found.explanation).toContain(units);
  });

  it.each([
    ['degrees Celsius to kelvins', (value: number) => value + 273.15],
    ['degrees Celsius to Fahrenheit', (value: number) => value * 1.8 + 32],
    ['degrees Fahrenheit to Celsius', (value: number) => (value - 32) / 1.8],
  ])('knows %s, a few degrees of weather notwithstanding', (units, convert) => {
    const before = units.startsWith('degrees Fahrenheit')
      ? degrees.map((value) => value * 1.8 + 32)
      : degrees;
    const warmer = before.map((value) => convert(value + 2));
    expect(finding(before, warmer)).toMatchObject({ outcome: 'fail' });
    expect(finding(before, warmer).explanation).toContain(units);
  });

  it('says so where no two units are the factor apart', () => {
    expect(
      finding(
        lengths,
        lengths.map((value) => value * 7.3),
      ).explanation,
    ).toContain('no two common units');
  });

  it('lets growth, seasons, offsets and other distributions pass', () => {
    const others: [string, number[], number[]][] = [
      ['growth', lengths, lengths.map((value) => value * 1.15)],
      ['decline', lengths, lengths.map((value) => value * 0.86)],
      ['summer', degrees, degrees.map((value) => value + 15)],
      ['frost', degrees, degrees.map((value) => value - 25)],
      ['an offset', lengths, lengths.map((value) => value + 273.15)],
      ['far from zero', degrees.map((value) => value + 1_000), degrees.map((value) => value + 1_609)],
      ['a longer tail', lengths, lengths.map((value) => value ** 1.1)],
      ['a constant', lengths.map(() => 5), lengths.map(() => 8)],
      ['a few values', lengths.map((_, i) => i % 4), lengths.map((_, i) => 2 * (i % 4))],
    ];
    for (const [name, before, after] of others)
      expect([name, finding(before, after).outcome]).toEqual([name, 'pass']);
  });

  it('passes over columns of text and columns without values', () => {
    expect(finding(['a', 'b'], ['a', 'b'])).toMatchObject({ subject: null, outcome: 'pass' });
    expect(finding([null, null], [1, 2])).toMatchObject({ subject: null, outcome: 'pass' });
  });

  it('finds a known unit in another sample of the same distribution, and nothing in the sample itself', () => {
    const sample = (skewed: number[]) => skewed.map((share) => Math.exp(3 + 2 * share - share ** 2));
    const shares = fc.noShrink(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 100, maxLength: 100 }),
    );
    fc.assert(
      fc.property(shares, (offsets) => {
        // One draw in each hundredth of the distribution, fifty times over: a sample of 5,000 that is never far from it.
        const drawn = Array.from({ length: 5_000 }, (_, i) => ((i % 100) + offsets[(i * 37) % 100]!) / 100);
        const [before, after] = [sample(lengths.map((_, i) => (i + 0.5) / 3_000)), sample(drawn)];
        expect(finding(before, after).outcome).toBe('pass');
        expect(
          finding(
            before,
            after.map((value) => value * 1.609344),
          ).explanation,
        ).toContain('miles to kilometres');
      }),
      { numRuns: 20 },
    );
  });
});
