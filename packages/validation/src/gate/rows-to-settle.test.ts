import { describe, expect, it } from 'vitest';
import { rowsToSettle } from './rows-to-settle.ts';

const interval = (low: number, high: number) => ({ low, high, confidence: 0.9 });

describe('rowsToSettle', () => {
  it('grows with the square of how far the interval reaches beyond its distance from the margin', () => {
    // 0.01 from the margin, reaching 0.02: half the reach is needed, four times the rows.
    expect(rowsToSettle({ value: 0.005, interval: interval(-0.015, 0.02) }, 0.005, 1_000)).toBe(4_000);
    expect(rowsToSettle({ value: -0.015, interval: interval(-0.05, 0.005) }, 0.005, 1_000)).toBe(4_000);
  });

  it('is unknown at the margin itself', () => {
    expect(rowsToSettle({ value: -0.005, interval: interval(-0.015, 0.02) }, 0.005, 1_000)).toBeNull();
  });

  it('is never fewer than there are', () => {
    expect(rowsToSettle({ value: 0.02, interval: interval(0, 0.04) }, 0.005, 1_234)).toBe(1_234);
  });
});
