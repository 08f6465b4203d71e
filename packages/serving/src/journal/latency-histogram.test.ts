import { expect, test } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

test('a time falls into the first bucket whose bound it does not exceed', () => {
  const histogram = new LatencyHistogram();
  for (const seconds of [0, 0.001, 0.001_1, 10, 11]) histogram.observe(seconds);
  const counted = Object.fromEntries(
    [...histogram.bounds, Infinity].map((bound, bucket) => [bound, histogram.counts[bucket]]),
  );
  expect(counted).toMatchObject({ '0.0001': 1, '0.001': 1, '0.0025': 1, '10': 1, Infinity: 1 });
  expect(histogram.counts.reduce((sum, count) => sum + count)).toBe(5);
  expect(histogram.sum).toBeCloseTo(21.002_1);
});
