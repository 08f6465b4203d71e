import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MILLISECONDS, durationMilliseconds, durationSchema, timeoutSchema } from './durations.ts';

describe('a duration', () => {
  it.each([
    ['1s', 1_000],
    ['90s', 90_000],
    ['15m', 900_000],
    ['6h', 21_600_000],
    ['28d', 28 * DAY_MILLISECONDS],
    ['4w', 28 * DAY_MILLISECONDS],
  ])('of %s is %i milliseconds', (text, milliseconds) => {
    expect(durationMilliseconds(durationSchema.parse(text))).toBe(milliseconds);
  });

  it.each(['', '0d', '1', 'd', '1.5h', '-1d', '01d', '1D', '1 d', '1y', '1234567s', '1d\n'])(
    'is not %j, and the message says what is allowed',
    (text) => {
      expect(durationSchema.safeParse(text).error?.issues[0]?.message).toBe(
        'must be a whole number and a unit: 90s, 15m, 6h, 28d or 4w',
      );
    },
  );

  it('is a whole number of milliseconds that loses nothing, at any length', () => {
    const any = fc.tuple(fc.integer({ min: 1, max: 999_999 }), fc.constantFrom('s', 'm', 'h', 'd', 'w'));
    fc.assert(
      fc.property(any, ([count, unit]) => {
        const milliseconds = durationMilliseconds(durationSchema.parse(`${count}${unit}`));
        expect(Number.isSafeInteger(milliseconds)).toBe(true);
        expect(milliseconds / count).toBe(durationMilliseconds(`1${unit}`));
      }),
    );
  });
});

describe('a time that something is waited for', () => {
  it.each(['1s', '6h', '24d', '3w'])('may be %s', (text) => {
    expect(timeoutSchema.parse(text)).toBe(text);
  });

  it.each(['25d', '4w', '999999w'])('may not be %s, since a timer set for so long fires at once', (text) => {
    expect(timeoutSchema.safeParse(text).error?.issues).toMatchObject([{ message: 'must be at most 24d' }]);
  });

  it('is told once what is wrong with it', () => {
    expect(timeoutSchema.safeParse('soon').error?.issues).toHaveLength(1);
  });
});
