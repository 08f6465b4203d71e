import { describe, expect, it } from 'vitest';
import {
  bytesText,
  countText,
  metricText,
  numberText,
  pValueText,
  percentText,
  secondsText,
  signedText,
} from './number-text.ts';

describe('numbers in words', () => {
  it.each([
    [16512, '16,512'],
    [0.701234, '0.7012'],
    [-0.00091234, '-0.0009123'],
    [0, '0'],
    [1234.5678, '1,235'],
  ])('writes %f as %s', (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  it.each([
    [0.0021, '0.0021'],
    [0.5, '0.5000'],
    [0.0001, '0.0001'],
    [5.4e-13, '< 0.0001'],
    [0, '< 0.0001'],
  ])('writes the p-value %f as %s', (value, text) => {
    expect(pValueText(value)).toBe(text);
  });

  it.each([
    [0.8, '0.8000'],
    [-0.0014, '-0.0014'],
    [0.00003, '0.00003'],
    [0, '0.0000'],
    [32.41291, '32.41'],
  ])('writes the metric %f as %s', (value, text) => {
    expect(metricText(value)).toBe(text);
  });

  it('gives differences their sign', () => {
    expect([0.002, -0.002, 0].map(signedText)).toEqual(['+0.0020', '-0.0020', '0.0000']);
  });

  it('writes shares, sizes, times and counts', () => {
    expect([0.95, 0.1234567, 0].map(percentText)).toEqual(['95 %', '12.35 %', '0 %']);
    expect([0, 999, 75_000, 8_589_934_592].map(bytesText)).toEqual([
      '0 bytes',
      '999 bytes',
      '75 KB',
      '8.59 GB',
    ]);
    expect([4.2, 600, 8_000].map(secondsText)).toEqual(['4.2 s', '10 min', '2 h 13 min']);
    expect([1, 2_000].map((rows) => countText(rows, 'row'))).toEqual(['1 row', '2,000 rows']);
  });
});
