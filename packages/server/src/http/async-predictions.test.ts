import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asyncPredictionSchema, type AsyncPrediction, type Problem } from '@perennial/contract';
import { startServingPlatform, type ServingPlatform } from '../testing/serving-platform.ts';

const ADMIN = 'the-configured-admin-token';
const JSON_HEADERS = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN}` };

let test: ServingPlatform;
beforeAll(async () => {
  test = await startServingPlatform({
    variables: { PERENNIAL_ADMIN_TOKEN: ADMIN, PERENNIAL_ASYNC_EXPIRY: '1h' },
  });
});
afterAll(() => test.stop());

const body = JSON.stringify({ instances: [{ age: 10 }, { age: 20 }] });
const post = (path: string, headers: Record<string, string> = {}, sent = body) =>
  test.request(path, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body: sent });
const get = (path: string, headers: Record<string, string> = {}) =>
  test.request(path, { headers: { ...JSON_HEADERS, ...headers } });
const later = (headers: Record<string, string> = {}, sent = body) =>
  post('/v1/models/churn/predict', { prefer: 'respond-async', ...headers }, sent);
const readAsync = async (response: Response) => asyncPredictionSchema.parse(await response.json());

async function token(models: string[]): Promise<Record<string, string>> {
  const request = JSON.stringify({ name: models.join(), roles: ['predictor'], models });
  const { secret } = (await (await post('/v1/tokens', {}, request)).json()) as { secret: string };
  return { authorization: `Bearer ${secret}` };
}

describe('a prediction that is to be answered later', () => {
  it.each([
    ['by the preference of RFC 7240', () => later()],
    ['in whatever way the preference is written', () => later({ prefer: 'wait=5, Respond-Async ; foo' })],
    ['by an address of its own', () => post('/v1/models/churn/predictions:async')],
    ['by that address, encoded', () => post('/v1/models/churn/predictions%3Aasync')],
  ])('is asked for %s, and found where the answer says', async (_, ask) => {
    const response = await ask();
    expect(response.status).toBe(202);
    const taken = await readAsync(response);
    expect(response.headers.get('location')).toBe(`/v1/async-predictions/${taken.id}`);
    const found = await get(`/v1/async-predictions/${taken.id}?wait=60s`);
    expect(found.status).toBe(200);
    const { state, response: answer, requestedBy } = await readAsync(found);
    expect({ state, requestedBy }).toEqual({ state: 'completed', requestedBy: 'token:admin' });
    expect(answer).toMatchObject({
      version: 1,
      predictions: [{ output: { value: 11 } }, { output: { value: 21 } }],
    });
    const [first] = answer?.predictions ?? [];
    expect(await (await get(`/v1/predictions/${first?.id ?? ''}`)).json()).toMatchObject({ mode: 'async' });
  });

  it('is what a request that does not prefer it never becomes', async () => {
    const response = await later({ prefer: 'respond-asynchronously, return=minimal' });
    expect(response.status).toBe(200);
    expect(response.headers.has('preference-applied')).toBe(false);
    const unlike = await post('/v1/models/churn/predictionsasync');
    expect(unlike.status).toBe(404);
  });

  it('says that the preference was applied, where it was', async () => {
    expect((await later()).headers.get('preference-applied')).toBe('respond-async');
    const bad = await later({}, JSON.stringify({ instances: [{ age: 'ten' }] }));
    expect(bad.status).toBe(400);
    expect(bad.headers.has('preference-applied')).toBe(false);
    expect(((await bad.json()) as Problem).title).toBe('invalid-instance');
  });

  it('is taken once, however often the same request is sent under one key', async () => {
    const key = { 'idempotency-key': 'once' };
    const [first, second] = [await later(key), await later(key)];
    expect([first.status, second.status]).toEqual([202, 202]);
    const taken = await readAsync(first);
    expect(await readAsync(second)).toEqual(taken);
    expect(second.headers.get('location')).toBe(`/v1/async-predictions/${taken.id}`);
    expect(second.headers.get('preference-applied')).toBe('respond-async');
    const other = await later(key, JSON.stringify({ instances: [{ age: 1 }] }));
    expect(other.status).toBe(409);
  });

  it('is shown to no token of other models', async () => {
    const taken = await readAsync(await later());
    const path = `/v1/async-predictions/${taken.id}`;
    expect((await get(path, await token(['churn']))).status).toBe(200);
    const foreign = await token(['another']);
    expect((await get(path, foreign)).status).toBe(403);
    expect((await later(foreign)).status).toBe(403);
  });

  it('is waited for within bounds', async () => {
    const taken = await readAsync(await later());
    for (const wait of ['61s', '2m', '30', 'forever'])
      expect((await get(`/v1/async-predictions/${taken.id}?wait=${wait}`)).status).toBe(400);
  });

  it('is gone when its time is over', async () => {
    const taken = await readAsync(await later());
    await get(`/v1/async-predictions/${taken.id}?wait=60s`);
    test.clock.advance(3_600_000);
    const gone = await get(`/v1/async-predictions/${taken.id}`);
    expect(gone.status).toBe(410);
    expect(((await gone.json()) as Problem).title).toBe('result-expired');
    const missing = await get('/v1/async-predictions/async_0190b0a4-0000-7000-8000-000000000000');
    expect(missing.status).toBe(404);
  });
});

describe('a queue that is full', () => {
  it('is told with when to come again', async () => {
    const full = await startServingPlatform({
      variables: {
        PERENNIAL_ASYNC_QUEUE: '1',
        // Nobody works on predictions here.
        PERENNIAL_QUEUES: 'training',
      },
    });
    try {
      const ask = () =>
        full.request('/v1/models/churn/predictions:async', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
      const taken = (await (await ask()).json()) as AsyncPrediction;
      const refused = await ask();
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await refused.json()).toMatchObject({
        title: 'overloaded',
        details: { limit: 1, unit: 'requests' },
      });
      // A server that stops ends the waits.
      const waiting = full.request(`/v1/async-predictions/${taken.id}?wait=60s`);
      const stopped = full.stop();
      expect(await (await waiting).json()).toMatchObject({ state: 'queued' });
      await stopped;
    } catch (error) {
      await full.stop();
      throw error;
    }
  });
});
