import { describe, expect, test } from 'vitest';
import {
  InvalidRequestError,
  NotFoundError,
  predictResponseSchema,
  type Prediction,
  type ServingSpec,
} from '@perennial/contract';
import { DatabaseUnavailableError } from '@perennial/storage';
import {
  EntitiesUnknownError,
  InvalidInstanceError,
  ModeNotServedError,
  PrecomputedMissingError,
} from '../errors.ts';
import { OfflinePlatform } from '../testing/offline-platform.ts';
import { readAll } from '../testing/read-journal.ts';

const HYBRID: ServingSpec = { modes: ['online', 'offline'] };
const BY_KEY: ServingSpec = { modes: ['online'], cache: { features: { maxAge: '1m' } } };

interface Asked {
  instances?: unknown[];
  keys?: string[];
}
const ask = (platform: OfflinePlatform, { instances = [], keys }: Asked, model = 'm') =>
  platform.hybrid.predict({ model, request: { instances, keys } });

describe('hybrid serving', () => {
  test('answers the head from the table and computes the tail, in the order that was asked for', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 2, HYBRID);
    const id = await platform.precompute('m', 1, { a: { value: 10 }, b: { value: 20 } });
    await platform.use('m', { id, version: 1 });
    await platform.know('m', { a: { x: 1 }, c: { x: 5, more: 'columns' } });
    platform.served.clock.advance(3_000);
    const request = { keys: ['c', 'a', 'd', 'b'], instances: [null, null, { x: 7 }, null] };
    const response = await ask(platform, request);
    expect(predictResponseSchema.parse(response)).toEqual(response);
    expect(response).toMatchObject({ model: 'm', version: 2 });
    expect(response.predictions.map(({ id: _, ...rest }) => rest)).toEqual([
      { mode: 'live', output: { value: 7 }, featuresAt: '2001-03-04T05:06:07.000Z' },
      {
        mode: 'precomputed',
        output: { value: 10 },
        version: 1,
        ageSeconds: 3,
        featuresAt: '2001-03-04T05:06:07.000Z',
      },
      { mode: 'live', output: { value: 9 } },
      {
        mode: 'precomputed',
        output: { value: 20 },
        version: 1,
        ageSeconds: 3,
        featuresAt: '2001-03-04T05:06:07.000Z',
      },
    ]);
    const records = (await readAll(platform.served.journal)).map((each) => JSON.parse(each) as Prediction);
    const recorded = new Map(records.map((record) => [`pred_${record.id}`, record]));
    const logged = response.predictions.map(({ id: given }) => recorded.get(given));
    expect(logged.map((record) => [record?.key, record?.mode, record?.version])).toEqual([
      ['c', 'live', 2],
      ['a', 'precomputed', 1],
      ['d', 'live', 2],
      ['b', 'precomputed', 1],
    ]);
    expect(logged[0]?.features).toEqual({ x: 5 });
  });

  test('says the version once where all rows have it', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 2, HYBRID);
    const id = await platform.precompute('m', 1, { a: { value: 10 } });
    await platform.use('m', { id, version: 1 });
    const response = await ask(platform, { keys: ['a', 'a'] });
    expect(response.version).toBe(1);
    for (const prediction of response.predictions) expect(prediction).not.toHaveProperty('version');
  });

  test('computes rows that bring their features, whatever the table has, and hands plain requests through', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 2, HYBRID);
    const id = await platform.precompute('m', 1, { a: { value: 10 } });
    await platform.use('m', { id, version: 1 });
    const response = await ask(platform, { instances: [{ x: 1 }], keys: ['a'] });
    expect(response).toMatchObject({ version: 2, predictions: [{ mode: 'live', output: { value: 3 } }] });
    expect(platform.answers.counters).toMatchObject({ hits: 0, misses: 0 });
    await expect(ask(platform, { instances: [null] })).rejects.toThrow(InvalidInstanceError);
    await expect(ask(platform, {})).rejects.toThrow(InvalidRequestError);
  });

  test('answers what it can while the database is away', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 2, HYBRID);
    const id = await platform.precompute('m', 1, { a: { value: 10 } });
    await platform.use('m', { id, version: 1 });
    await platform.know('m', { c: { x: 5 } });
    await ask(platform, { keys: ['a', 'c'] });
    platform.served.clock.advance(3_600_000);
    await platform.door.shut();
    const response = await ask(platform, { keys: ['a', 'c'] });
    expect(response.predictions.map(({ mode }) => mode)).toEqual(['precomputed', 'live']);
    expect(platform.entities.counters.stale).toBe(1);
    await expect(ask(platform, { keys: ['never asked'] })).rejects.toThrow(DatabaseUnavailableError);
  });

  test('refuses keys that are none', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 1, HYBRID);
    for (const request of [
      { keys: [] },
      { keys: ['a'], instances: [null, null] },
      { keys: ['a\0'] },
      { keys: ['\ud800'] },
      { keys: Array.from({ length: 50_001 }, () => 'a') },
    ])
      await expect(ask(platform, request)).rejects.toThrow(InvalidRequestError);
  });
});

describe('a model that keeps the rows of its entities', () => {
  test('reads them anew once they have been in memory for too long', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 1, BY_KEY);
    await platform.know('m', { a: { x: 1 } });
    const value = async () => (await ask(platform, { keys: ['a'] })).predictions[0]?.output;
    expect(await value()).toEqual({ value: 2 });
    platform.served.clock.advance(30_000);
    await platform.know('m', { a: { x: 10 } });
    expect(await value()).toEqual({ value: 2 });
    platform.served.clock.advance(30_000);
    expect(await value()).toEqual({ value: 11 });
    expect(platform.entities.counters).toEqual({ hits: 1, misses: 2, stale: 0 });
  });

  test('says of whom it knows nothing', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 1, BY_KEY);
    await platform.know('m', { a: { x: 1 } });
    const asked = ask(platform, { keys: ['a', 'b', 'c'] });
    await expect(asked).rejects.toThrow(EntitiesUnknownError);
    await expect(asked).rejects.toMatchObject({ details: { model: 'm', keys: ['b', 'c'] } });
  });
});

describe('a model that keeps none', () => {
  test('asks for the features', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 1, { modes: ['online'] });
    await expect(ask(platform, { keys: ['a'] })).rejects.toThrow('serving.cache.features');
    await expect(ask(platform, { keys: ['a'] }, 'nothing')).rejects.toThrow(NotFoundError);
  });
});

describe('a model that is served offline alone', () => {
  test('answers by key and computes nothing', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 1, { modes: ['offline'] });
    await expect(ask(platform, { keys: ['a'] })).rejects.toThrow(PrecomputedMissingError);
    const id = await platform.precompute('m', 1, { a: { value: 10 } });
    await platform.use('m', { id, version: 1 });
    expect(await ask(platform, { keys: ['a'] })).toMatchObject({ predictions: [{ mode: 'precomputed' }] });
    await expect(ask(platform, { keys: ['a', 'b'] })).rejects.toThrow(PrecomputedMissingError);
    const mixed = { keys: ['a', 'b'], instances: [null, { x: 1 }] };
    await expect(ask(platform, mixed)).rejects.toThrow(ModeNotServedError);
    await expect(ask(platform, { instances: [{ x: 1 }] })).rejects.toThrow(ModeNotServedError);
  });
});
