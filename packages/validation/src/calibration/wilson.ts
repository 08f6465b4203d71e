import type { Interval } from '@perennial/contract';
import { normalQuantile } from '../statistics/normal.ts';

/**
 * Interval of a share (Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927). It stays within 0 and 1
 * and is no point where no row, or every row, was a hit.
 *
 * @param sample at least one row
 * @param confidence two-sided, in (0, 1)
 */
export function wilsonInterval(sample: { hits: number; rows: number }, confidence: number): Interval {
  const { hits, rows } = sample;
  const z = normalQuantile((1 + confidence) / 2);
  const share = hits / rows;
  const middle = (share + z ** 2 / (2 * rows)) / (1 + z ** 2 / rows);
  const reach =
    (z / (1 + z ** 2 / rows)) * Math.sqrt((share * (1 - share)) / rows + z ** 2 / (4 * rows ** 2));
  // At a share of 0 or 1 the end is exactly that, and rounding would put it 1e-17 beside.
  return {
    low: hits === 0 ? 0 : Math.max(0, middle - reach),
    high: hits === rows ? 1 : Math.min(1, middle + reach),
    confidence,
  };
}
