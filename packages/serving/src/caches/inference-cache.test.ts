import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_SERVING,
  IdGenerator,
  ManualClock,
  type Digest,
  type ServingSpec,
} from '@perennial/contract';
import { ColumnPredictor } from '../online/column-predictions.ts';
import { addingArtifact } from '../testing/adding-artifact.ts';
import { readAll } from '../testing/read-journal.ts';
import { ServedPlatform } from '../testing/served-platform.ts';
import { InferenceCache } from './inference-cache.ts';
import { InferenceCaches } from './inference-caches.ts';
import { cacheUseOf, type CacheUse } from './version-cache.ts';

const [ONE, TWO] = [addingArtifact(1).digest, addingArtifact(2).digest];
const LIMITS = { maxAgeMilliseconds: 1_000, maxBytes: 1_000_000 };
const START = '2001-03-04T05:06:07.000Z';

describe('a cache', () => {
  test('keeps what was given last of each artifact and features, and never more than it may', () => {
    const put = fc.record({
      artifact: fc.constantFrom<Digest>(ONE, TWO),
      features: fc.string({ maxLength: 3 }),
      value: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(put), fc.integer({ min: 300, max: 2_000 }), (puts, maxBytes) => {
        const cache = new InferenceCache({ clock: new ManualClock(START) });
        const limits = { ...LIMITS, maxBytes };
        const model = new Map<string, number>();
        for (const { artifact, features, value } of puts) {
          cache.keep(artifact, features, { answer: { value }, limits });
          model.set(artifact + features, value);
          expect(cache.bytes).toBeLessThanOrEqual(maxBytes);
          expect(cache.find(artifact, features, limits)).toEqual({ value });
        }
        for (const { artifact, features } of puts) {
          const found = cache.find(artifact, features, limits);
          if (found !== undefined) expect(found).toEqual({ value: model.get(artifact + features) });
        }
      }),
    );
  });

  test('lets go first what was not asked for longest', () => {
    const cache = new InferenceCache({ clock: new ManualClock(START) });
    const room = { ...LIMITS, maxBytes: 3 * 300 };
    const keep = (name: string) => cache.keep(ONE, name, { answer: { value: 1 }, limits: room });
    for (const name of ['a', 'b', 'c']) keep(name);
    cache.find(ONE, 'a', room);
    keep('d');
    expect(['a', 'b', 'c', 'd'].filter((name) => cache.find(ONE, name, room))).toEqual(['a', 'c', 'd']);
    expect(cache.counters).toEqual({ hits: 4, misses: 1, evictions: 1 });
  });

  test('gives nothing that is older than it may be', () => {
    const clock = new ManualClock(START);
    const cache = new InferenceCache({ clock });
    cache.keep(ONE, 'a', { answer: { value: 1 }, limits: LIMITS });
    clock.advance(999);
    expect(cache.find(ONE, 'a', LIMITS)).toEqual({ value: 1 });
    clock.advance(1);
    expect(cache.find(ONE, 'a', LIMITS)).toBeUndefined();
  });

  test('does not keep what is larger than it may be altogether', () => {
    const cache = new InferenceCache({ clock: new ManualClock(START) });
    const probabilities = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`c${at}`, 0.01]));
    cache.keep(ONE, 'a', {
      answer: { probabilities, decision: 'c1' },
      limits: { ...LIMITS, maxBytes: 5_000 },
    });
    expect(cache.size).toBe(0);
  });
});

test.each<[string | undefined, CacheUse]>([
  [undefined, 'use'],
  ['max-age=60', 'use'],
  ['no-cache', 'refresh'],
  ['Max-Age=0, No-Cache', 'refresh'],
  ['no-cache, no-store', 'none'],
])('a request with Cache-Control %j lets the cache be: %s', (header, use) => {
  expect(cacheUseOf(header)).toBe(use);
});

/** Asks a platform's model `m` in columns. */
function columnAsker(platform: ServedPlatform) {
  const { models, journal, clock } = platform;
  const predictor = new ColumnPredictor({ models, journal, ids: new IdGenerator(clock), clock });
  return async (xs: number[], cache: CacheUse = 'use') => {
    const x = Float64Array.from(xs);
    const read = () => ({ batch: { rows: x.length, columns: { x } } });
    const { version, mode, output } = await predictor.predict({ model: 'm', read, cache });
    return { version, mode, values: 'value' in output ? Array.from(output.value) : [] };
  };
}

/** A platform whose model `m` answers x + version, with a cache; a spec that is changed counts at once. */
async function cachedPlatform(clock = new ManualClock(START)) {
  const endpoint = {
    serving: { modes: ['online'], cache: { predictions: { maxAge: '1m' } } } as ServingSpec,
  };
  const caches = new InferenceCaches({ servingOf: () => endpoint.serving, clock });
  const platform = await ServedPlatform.start({ models: { caches } });
  platform.promote('m', 1);
  await platform.table.refresh();
  const ask = async (xs: number[], cache: CacheUse = 'use') => {
    const request = { instances: xs.map((x) => ({ x })) };
    const { version, predictions } = await platform.service.predict({ model: 'm', request, cache });
    return {
      version,
      answers: predictions.map(({ output, mode }) => [mode, 'value' in output && output.value]),
    };
  };
  return { platform, caches, endpoint, ask };
}

describe('predictions', () => {
  test('are given from the cache, row by row, under their own ids and on record as such', async () => {
    const { platform, caches, ask } = await cachedPlatform();
    expect(await ask([1, 2])).toEqual({
      version: 1,
      answers: [
        ['live', 2],
        ['live', 3],
      ],
    });
    expect(await ask([2, 5, 1])).toEqual({
      version: 1,
      answers: [
        ['cached', 3],
        ['live', 6],
        ['cached', 2],
      ],
    });
    const records = (await readAll(platform.journal)).map(
      (text) => JSON.parse(text) as { id: string; mode: string },
    );
    expect(records.map(({ mode }) => mode)).toEqual(['live', 'live', 'cached', 'live', 'cached']);
    expect(new Set(records.map(({ id }) => id)).size).toBe(5);
    expect(caches.numbers()).toMatchObject([{ endpoint: 'm', hits: 2, misses: 3, entries: 3, evictions: 0 }]);
  });

  test('are computed anew when the request asks for that', async () => {
    const { ask } = await cachedPlatform();
    await ask([1], 'none');
    expect((await ask([1], 'refresh')).answers).toEqual([['live', 2]]);
    expect((await ask([1], 'none')).answers).toEqual([['live', 2]]);
    expect((await ask([1])).answers).toEqual([['cached', 2]]);
  });

  test('are not kept where the endpoint does not say so', async () => {
    const { ask, endpoint, caches } = await cachedPlatform();
    await ask([1]);
    endpoint.serving = DEFAULT_SERVING;
    expect((await ask([1])).answers).toEqual([['live', 2]]);
    expect(caches.numbers()).toEqual([]);
  });

  test('are always those of the version that they bear, whatever is promoted in between', async () => {
    const { platform, ask } = await cachedPlatform();
    const step = fc.oneof(
      fc.record({ promote: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ ask: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }) }),
    );
    let modes = new Set<unknown>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        for (const one of steps) {
          if ('promote' in one) {
            platform.promote('m', one.promote);
            await platform.table.refresh();
            continue;
          }
          const { version, answers } = await ask(one.ask);
          expect(answers.map(([, value]) => value)).toEqual(one.ask.map((x) => x + version));
          modes = new Set([...modes, ...answers.map(([mode]) => mode)]);
        }
      }),
      { numRuns: 60 },
    );
    expect(modes).toEqual(new Set(['live', 'cached']));
  });
});

describe('predictions in columns', () => {
  test('are given from the cache where it has every row, and on record as such', async () => {
    const { platform, caches, ask } = await cachedPlatform();
    const askColumns = columnAsker(platform);
    expect(await askColumns([1, 2])).toEqual({ version: 1, mode: 'live', values: [2, 3] });
    expect(await askColumns([2, 1, 2])).toEqual({ version: 1, mode: 'cached', values: [3, 2, 3] });
    expect(await askColumns([1, 5])).toEqual({ version: 1, mode: 'live', values: [2, 6] });
    expect((await ask([5])).answers).toEqual([['cached', 6]]);
    const records = (await readAll(platform.journal)).map((text) => JSON.parse(text) as { mode: string });
    expect(records.map(({ mode }) => mode)).toEqual([
      ...['live', 'live'],
      ...['cached', 'cached', 'cached'],
      ...['live', 'live', 'cached'],
    ]);
    expect(caches.numbers()).toMatchObject([{ entries: 3 }]);
  });

  test('are computed anew when the request asks for that', async () => {
    const { platform } = await cachedPlatform();
    const askColumns = columnAsker(platform);
    await askColumns([1], 'none');
    expect(await askColumns([1], 'refresh')).toMatchObject({ mode: 'live' });
    expect(await askColumns([1], 'none')).toMatchObject({ mode: 'live' });
    expect(await askColumns([1])).toMatchObject({ mode: 'cached' });
  });

  test('are those of the version that answers, and of many rows too', async () => {
    const { platform } = await cachedPlatform();
    const askColumns = columnAsker(platform);
    const many = Array.from({ length: 20_000 }, (_, x) => x);
    for (const version of [1, 2]) {
      platform.promote('m', version);
      await platform.table.refresh();
      const values = many.map((x) => x + version);
      expect(await askColumns(many)).toEqual({ version, mode: 'live', values });
      expect(await askColumns(many)).toEqual({ version, mode: 'cached', values });
    }
  });
});
