import { describe, expect, test } from 'vitest';
import { Linger } from './linger.ts';

/** What the waits come to when so many rows arrive in a second. */
function settled(perSecond: number, linger = new Linger(200, 1_000)): number {
  for (let batch = 0; batch < 20; batch++) linger.found((perSecond * linger.milliseconds) / 1_000);
  return linger.milliseconds;
}

describe('waiting for company', () => {
  test('is short where little comes, and where much does', () => {
    expect(settled(10)).toBe(200);
    expect(settled(200)).toBe(200);
    expect(settled(15_000)).toBe(200);
  });

  test('lasts until about a thousand are together, and no longer than it may', () => {
    expect(settled(2_000)).toBe(500);
    expect(settled(300)).toBe(1_000);
  });

  test('follows what comes', () => {
    const linger = new Linger(200, 1_000);
    expect([2_000, 10_000, 2_000, 20, 2_000].map((rate) => settled(rate, linger))).toEqual([
      500, 200, 500, 200, 500,
    ]);
  });

  test('of no time stays none', () => {
    expect(settled(500, new Linger(0, 0))).toBe(0);
  });
});
