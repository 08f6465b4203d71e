import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  DAY_MILLISECONDS,
  ManualClock,
  NotFoundError,
  adviceSchema,
  type Advice,
  type KeyTraffic,
} from '@perennial/contract';
import { takeVersionNumber } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { logTraffic, steadyRandom, zipfRanks, type Asked } from '../testing/traffic.ts';
import { ServingAdviser } from './serving-adviser.ts';

const clock = new ManualClock('2001-03-08T00:00:00Z');
const WEEK = 7 * DAY_MILLISECONDS;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await takeVersionNumber(database.database.orm, 'm', clock.now());
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.database.sql`truncate predictions`;
});

/** The same number of predictions on each of the seven days. */
function week(rows: number, askedFor: (row: number) => Omit<Asked, 'at'>): Asked[] {
  const start = clock.now().getTime() - WEEK;
  return Array.from({ length: rows }, (_, row) => ({
    ...askedFor(row),
    at: new Date(start + Math.floor((row / rows) * WEEK)),
  }));
}

async function advise(asked: Asked[], window = WEEK): Promise<Advice> {
  await logTraffic(database.database, asked);
  const advice = await new ServingAdviser({ database: database.database, clock }).advise('m', window);
  expect(adviceSchema.parse(advice)).toEqual(advice);
  return advice;
}

const shareOf = ({ curve }: KeyTraffic, keys: number) =>
  curve.find((point) => point.keys === keys)?.share ?? NaN;
const keysOf = ({ keys }: Advice): KeyTraffic => keys as KeyTraffic;

describe('keys that are all asked for equally often', () => {
  test('and of which there are few: a table of all of them', async () => {
    const random = steadyRandom(1);
    const advice = await advise(week(14_000, () => ({ key: `k${Math.floor(random() * 200)}` })));
    const keys = keysOf(advice);
    expect(keys).toMatchObject({ distinct: 200, predictions: 14_000, newPerDay: 0, newShare: 0 });
    expect(keys.normalizedEntropy).toBeGreaterThan(0.99);
    expect(keys.topPercentShare).toBeLessThan(0.02);
    expect(keys.zipfExponent).toBeLessThan(0.3);
    expect(keys.curve.map((point) => point.keys)).toEqual([1, 2, 5, 10, 20, 50, 100, 200]);
    expect(shareOf(keys, 100)).toBeCloseTo(0.55, 1);
    expect(shareOf(keys, 200)).toBe(1);
    expect(advice).toMatchObject({ predictions: 14_000, keyless: 0, recommendation: 'static' });
    expect(advice.predictionsPerDay).toBeCloseTo(2_000, 6);
    expect(advice.reasons[0]).toBe(
      'A table of all 200 keys, computed once a day, answers 100 % of what was asked and saves 90 % of the work.',
    );
  });
});

describe('keys by Zipf’s law with the exponent 1.1', () => {
  test('are told as such: a table of the head, the tail when it is asked for', async () => {
    const rank = zipfRanks(20_000, 1.1, steadyRandom(2));
    const advice = await advise(week(60_000, () => ({ key: `k${rank()}` })));
    const keys = keysOf(advice);
    expect(keys.zipfExponent).toBeGreaterThan(1);
    expect(keys.zipfExponent).toBeLessThan(1.2);
    // The harmonic sums of the law itself: H(100) / H(20,000) with s = 1.1.
    expect(shareOf(keys, 100)).toBeCloseTo(0.602, 1);
    expect(keys.topPercentShare).toBeGreaterThan(0.5);
    expect(keys.newShare).toBeGreaterThan(0.02);
    expect(advice.recommendation).toBe('hybrid');
    const [live, whole, hybrid] = advice.options;
    expect(live).toMatchObject({ way: 'dynamic', keys: 0, fromTable: 0, unanswered: 0, storageBytes: 0 });
    expect(whole).toMatchObject({ way: 'static', keys: keys.distinct });
    expect(whole?.unanswered).toBeCloseTo(keys.newShare ?? 0, 10);
    expect(hybrid?.keys).toBeLessThan(keys.distinct / 2);
    expect(hybrid?.secondsPerDay ?? NaN).toBeLessThan(0.5 * (live?.secondsPerDay ?? NaN));
    expect(advice.reasons.join(' ')).toMatch(/Zipf exponent 1\.\d\d/);
    expect(advice.reasons.join(' ')).toMatch(/A table alone would leave \d+ % without an answer\./);
  });
});

describe('keys that come once each', () => {
  test('are computed when they are asked for', async () => {
    const advice = await advise(week(7_000, (row) => ({ key: `k${row}` })));
    const keys = keysOf(advice);
    expect(keys).toMatchObject({
      distinct: 7_000,
      normalizedEntropy: 1,
      topPercentShare: 0.01,
      zipfExponent: null,
      newPerDay: 1_000,
      newShare: 1,
    });
    expect(advice.recommendation).toBe('dynamic');
    expect(advice.reasons[0]).toMatch(/asked for 0\.1 times a day on average: .* would save 0 % of the work/);
    expect(advice.costs.changingFeatures).toBeNull();
  });
});

describe('a log', () => {
  test('without keys says that, and what to do about it', async () => {
    const advice = await advise(week(700, () => ({ key: null })));
    expect(advice).toMatchObject({ predictions: 700, keyless: 700, keys: null, recommendation: 'dynamic' });
    expect(advice.options.map(({ way }) => way)).toEqual(['dynamic']);
    expect(advice.reasons.join(' ')).toMatch(/have no keys.*send its key/);
  });

  test('of nothing says nothing', async () => {
    const advice = await advise([]);
    expect(advice).toMatchObject({ predictions: 0, keys: null, options: [], recommendation: null });
    expect(advice.reasons).toEqual([expect.stringMatching(/^Nobody asked/)]);
  });

  test('of a model that is not there is none', async () => {
    const adviser = new ServingAdviser({ database: database.database, clock });
    await expect(adviser.advise('nope', WEEK)).rejects.toThrow(NotFoundError);
  });

  test('counts what somebody waited for, within the window', async () => {
    const old = { key: 'k', at: new Date(clock.now().getTime() - 3 * DAY_MILLISECONDS) };
    const asked = week(700, (row) => ({ key: 'k', mode: row % 2 === 0 ? 'batch' : 'live' }));
    const advice = await advise([old, ...asked], DAY_MILLISECONDS);
    expect(advice.predictions).toBe(50);
    expect(keysOf(advice)).toMatchObject({ distinct: 1, normalizedEntropy: null, newShare: null });
  });

  test('of keys whose features change from request to request warns of tables', async () => {
    const advice = await advise(week(7_000, (row) => ({ key: `k${row % 50}`, x: row })));
    expect(advice.costs.changingFeatures).toBe(1);
    expect(advice.recommendation).toBe('dynamic');
    expect(advice.reasons[0]).toMatch(/100 % come with other features than before/);
  });
});

describe('what a prediction takes', () => {
  test('is measured: latency by mode, time over the rows of a request, bytes of a row', async () => {
    const asked = week(700, (row) => ({
      key: `k${row % 10}`,
      ...(row % 7 === 0
        ? { mode: 'precomputed' as const, latencyMicroseconds: 50 }
        : { mode: 'live' as const, latencyMicroseconds: 300 }),
    }));
    // One request of a hundred rows, all at the same moment.
    const at = new Date(clock.now().getTime() - 1);
    const large = Array.from({ length: 100 }, () => ({ key: 'k1', at, latencyMicroseconds: 1_000 }));
    const { costs, options } = await advise([...asked, ...large]);
    expect(costs.sample).toBe(800);
    expect(costs.latency.precomputed).toEqual({ predictions: 100, p50: 50, p99: 50, mean: 50 });
    expect(costs.latency.live).toMatchObject({ predictions: 700, p50: 300, mean: 400 });
    expect(costs.microsecondsPerRow).toBeCloseTo((600 * 300 + 1_000) / 700, 6);
    expect(costs.bytesPerKey).toBeGreaterThan(100);
    expect(costs.bytesPerKey).toBeLessThan(300);
    const [live, whole] = options;
    expect(live?.latencyMicroseconds).toBe(400);
    expect(whole?.latencyMicroseconds).toBe(50);
    expect(whole?.secondsPerDay).toBeCloseTo((10 * (181_000 / 700)) / 1e6, 9);
    expect(whole?.storageBytes).toBe(Math.round(10 * (costs.bytesPerKey ?? 0)));
  });
});
