import { expect, test } from 'vitest';
import { byteCount } from './byte-count.ts';

test.each([
  ['1048576', 1_048_576],
  ['400MB', 400_000_000],
  ['400 MB', 400_000_000],
  ['2MiB', 2_097_152],
  ['1GiB', 1_073_741_824],
])('%j is a number of bytes', (text, bytes) => {
  expect(byteCount(1_048_576).parse(text)).toBe(bytes);
});

test.each(['', '1', '400mb', '1.5GB', '-1MB', 'lots', '1TB', '12345678901234567890'])(
  '%j is none',
  (text) => {
    expect(() => byteCount(1_048_576).parse(text)).toThrow('must be a number of bytes such as 400MB');
  },
);
