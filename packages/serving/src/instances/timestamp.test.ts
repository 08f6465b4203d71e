import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTimestamp, timestampMilliseconds } from './timestamp.ts';

describe('parseTimestamp', () => {
  test('reads back every instant that JavaScript writes with a four-digit year', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0000-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        (date) => {
          expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
  });

  test.each([
    ['2001-01-31', '2001-01-31T00:00:00.000Z'],
    ['2001-01-31T08:30', '2001-01-31T08:30:00.000Z'],
    ['2001-01-31T08:30:15', '2001-01-31T08:30:15.000Z'],
    ['2001-01-31T08:30:15Z', '2001-01-31T08:30:15.000Z'],
    ['2001-01-31T08:30:15.5Z', '2001-01-31T08:30:15.500Z'],
    ['2001-01-31T08:30:15,25Z', '2001-01-31T08:30:15.250Z'],
    ['2001-01-31T08:30:15.123456789Z', '2001-01-31T08:30:15.123Z'],
    ['2001-01-31T08:30:15+02:00', '2001-01-31T06:30:15.000Z'],
    ['2001-01-01T00:30-0500', '2001-01-01T05:30:00.000Z'],
    ['2000-02-29', '2000-02-29T00:00:00.000Z'],
  ])('reads %s as %s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(new Date(expected).getTime());
  });

  test.each([
    '',
    'yesterday',
    '2001-1-31',
    '2001-01-31 08:30',
    '2001-02-30',
    '1900-02-29',
    '2001-13-01',
    '2001-00-10',
    '2001-01-00',
    '2001-01-31T24:00',
    '2001-01-31T08:60',
    '2001-01-31T08:30:60Z',
    '2001-01-31T08:30+24:00',
    '2001-01-31T08:30+02',
    '20010131',
    '2001-W05-3',
    '+002001-01-31',
    ' 2001-01-31',
    '2001-01-31T08:30:15.1234567890Z',
    '2001-01-31Z',
  ])('refuses %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test('refuses every text that is no date, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/^\d{4}-/.test(text)),
        (text) => parseTimestamp(text) === undefined,
      ),
    );
  });
});

describe('timestampMilliseconds', () => {
  test('takes whole milliseconds, also before 1970', () => {
    expect(timestampMilliseconds(-1)).toBe(-1);
    expect(timestampMilliseconds(986_000_000_000)).toBe(986_000_000_000);
  });

  test.each([0.5, NaN, Infinity, 8.64e15 + 1, true, null, undefined, {}, 5n])('refuses %s', (value) => {
    expect(timestampMilliseconds(value)).toBeUndefined();
  });
});
