import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_PAUSES, nextAttemptAt } from './retry.ts';

const at = new Date('2024-03-11T03:00:00Z');
const pause = (changes: { attempt?: number; retryAfter?: string; random?: number } = {}) => {
  const { attempt = 1, retryAfter, random = 0.5 } = changes;
  const next = nextAttemptAt({ attempt, at, retryAfter, random: () => random });
  return next === undefined ? undefined : next.getTime() - at.getTime();
};

describe('the next attempt', () => {
  it('is half a pause away for a draw of a half, and there are eight', () => {
    const pauses = Array.from({ length: 9 }, (_, i) => pause({ attempt: i + 1 }));
    expect(pauses.map((one) => one && one / 1000)).toEqual([
      2.5,
      15,
      60,
      300,
      900,
      3600,
      10_800,
      21_600,
      undefined,
    ]);
  });

  it('is drawn from none of the pause up to all of it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const longest = LONGEST_PAUSES[attempt - 1] ?? 0;
          expect(pause({ attempt, random })).toBe(Math.round(random * longest));
        },
      ),
    );
  });

  it.each([
    ['120', 120],
    [new Date(at.getTime() + 90_000).toUTCString(), 90],
    ['86400', 3_600],
    ['Mon, 01 Jan 2090 00:00:00 GMT', 3_600],
    ['0', 2.5],
    ['-5', 2.5],
    ['soon', 2.5],
    ['Mon, 01 Jan 1990 00:00:00 GMT', 2.5],
    ['99999999999999999999', 2.5],
  ])('after a first failure with Retry-After %j is %d seconds away', (retryAfter, seconds) => {
    expect(pause({ retryAfter })).toBe(seconds * 1000);
  });

  it('does not come sooner for a short Retry-After, nor at all after the last', () => {
    expect(pause({ attempt: 8, retryAfter: '10' })).toBe(21_600_000);
    expect(pause({ attempt: 9, retryAfter: '10' })).toBeUndefined();
  });
});
