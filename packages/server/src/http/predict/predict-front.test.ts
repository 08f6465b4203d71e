import { request as sendRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { listen, type ListeningServer } from '../listen.ts';

const ADMIN = 'an-admin-token-of-a-test';
const LIMIT = 1_024 * 1_024;

let test: TestPlatform;
/** The same app on a port of its own, without the front. */
let plain: ListeningServer;
const tokens: Record<string, string> = { admin: ADMIN };

beforeAll(async () => {
  const variables = { PERENNIAL_ADMIN_TOKEN: ADMIN, PERENNIAL_MAX_BODY_BYTES: String(LIMIT) };
  test = await startTestPlatform({ variables });
  plain = await listen(test.platform.app, { host: '127.0.0.1', port: 0 });
  const file = Buffer.from(goodFile()).toString('base64');
  await ask('/v1/models/churn/versions', { file, sample: GOOD_SAMPLE, output: GOOD_OUTPUT });
  await ask('/v1/models/churn/versions/1/releases', { reason: 'for the test' });
  await ask('/v1/models/empty/versions', { file, sample: GOOD_SAMPLE, output: GOOD_OUTPUT });
  await ask('/v1/models/kept/versions', { file, sample: GOOD_SAMPLE, output: GOOD_OUTPUT });
  await ask('/v1/models/kept/versions/1/releases', { reason: 'for the test' });
  await ask('/v1/endpoints/kept', { serving: { modes: ['online', 'offline'] } }, 'PATCH');
  await keepAnswer('kept', 'k-1');
  tokens['predictor'] = await newToken({ name: 'p', roles: ['predictor'] });
  tokens['viewer'] = await newToken({ name: 'v', roles: ['viewer'] });
  tokens['other'] = await newToken({ name: 'o', roles: ['predictor'], models: ['other'] });
  tokens['own'] = await newToken({ name: 'c', roles: ['predictor'], models: ['churn'] });
  tokens['unknown'] = `perennial_${'a'.repeat(43)}`;
  tokens['nonsense'] = 'nonsense';
});
afterAll(async () => {
  await plain.close();
  await test.stop();
});

/** A precomputed answer for an entity, as a precomputation leaves it. */
async function keepAnswer(model: string, key: string): Promise<void> {
  const { sql } = test.database;
  const id = '018df9f5-0400-7000-8000-000000000001';
  await sql`
    insert into precomputations (id, model, version, artifact, state, cause, done, refused, requested_by, created_at)
    select ${id}, ${model}, 1, artifact_digest, 'live', 'request', 1, 0, 'test', now() from model_versions where model = ${model}`;
  await sql`
    insert into precomputed_predictions (precomputation, key, output, features, features_at, computed_at)
    values (${id}, ${key}, '{"value":1.5}', '{"amount":1,"visits":2}', '2024-03-01T00:00:00Z', '2024-03-10T00:00:00Z')`;
  await sql`select pg_notify('models_changed', ${model})`;
  const path = `/v1/models/${model}/predictions/${key}`;
  const headers = { authorization: `Bearer ${ADMIN}` };
  // Serving hears of it by a notification.
  await vi.waitFor(async () => expect((await test.request(path, { headers })).status).toBe(200), 20_000);
}

async function ask(path: string, body: unknown, method = 'POST'): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN}` };
  const response = await test.request(path, { method, headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as Record<string, unknown>;
  expect(response.status, JSON.stringify(answer)).toBeLessThan(300);
  return answer;
}

const newToken = async (body: unknown) => String((await ask('/v1/tokens', body))['secret']);

interface Sent {
  method?: string;
  path?: string;
  token?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Without Content-Length. */
  chunked?: boolean;
}

interface Got {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/** What a server answers, without what differs from one answer to the next. */
function send(
  url: string,
  { method = 'POST', path, token = 'predictor', headers, body = '', chunked }: Sent,
) {
  const { hostname, port } = new URL(url);
  const all: Record<string, string> = {
    'content-type': 'application/json',
    ...(token === '' ? {} : { authorization: `Bearer ${tokens[token]}` }),
    ...(chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) if (value === '') delete all[name];
  return new Promise<Got>((resolve, reject) => {
    const options = { hostname, port, method, path: path ?? '/v1/models/churn/predict', headers: all };
    const sent = sendRequest({ ...options, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const got = Buffer.concat(chunks).toString();
        const { date: _, 'x-request-id': id, ...rest } = response.headers;
        const instance = /"instance":"(.+?)"/.exec(got)?.[1] ?? id;
        if (instance !== id)
          reject(new Error(`The answer of ${String(id)} says that it is ${String(instance)}'s.`));
        resolve({ status: response.statusCode ?? 0, headers: rest, body: scrub(got) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const scrub = (body: string) => body.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>');

const row = { amount: 1.5, visits: 2 };
/** Rows in over 128 KiB, which are read on a thread. */
const many = Array.from({ length: 6_000 }, (_, i) => ({ amount: i / 3, visits: i }));
const good = JSON.stringify({ instances: [row] });

it('puts every row of a large request on record, and says so in the metrics', async () => {
  const body = JSON.stringify({ instances: many, keys: many.map((_, i) => `large-${i}`) });
  const { body: text } = await send(test.platform.url, { body });
  expect((JSON.parse(text) as { predictions: unknown[] }).predictions).toHaveLength(many.length);
  const headers = { authorization: `Bearer ${ADMIN}` };
  const found = await test.request('/v1/predictions?model=churn&key=large-5999', { headers });
  expect(await found.json()).toMatchObject({
    items: [{ key: 'large-5999', features: many[5_999], version: 1 }],
  });
  const metrics = await (await test.request('/metrics', { headers })).text();
  const counted = /perennial_predictions_total\{model="churn",version="1"\} (\d+)/.exec(metrics)?.[1];
  expect(Number(counted)).toBeGreaterThanOrEqual(many.length);
  expect(metrics).toMatch(
    /perennial_http_request_duration_seconds_count\{method="POST",route="\/v1\/models\/:model\/predict",status="200"\} \d+/,
  );
});

describe('the front answers as the app does', () => {
  it.each<[string, number, Sent]>([
    ['a row', 200, { body: good }],
    ['rows with keys', 200, { body: JSON.stringify({ instances: [row, row], keys: ['a', 'b'] }) }],
    ['fields in another order', 200, { body: '{"instances":[{"visits":2,"amount":1.5}]}' }],
    [
      'missing values, which this model has no answer for',
      500,
      { body: '{"instances":[{"amount":null,"visits":null}]}' },
    ],
    ['a body without a length', 200, { body: good, chunked: true }],
    ['no content type', 200, { body: good, headers: { 'content-type': '' } }],
    [
      'a content type with a charset',
      200,
      { body: good, headers: { 'content-type': 'Application/JSON; charset=utf-8' } },
    ],
    ['the admin token', 200, { body: good, token: 'admin' }],
    ['a token that is held to the model', 200, { body: good, token: 'own' }],
    ['an unknown field', 400, { body: '{"instances":[{"amount":1,"visits":2,"more":3}]}' }],
    ['a missing field', 400, { body: '{"instances":[{"amount":1}]}' }],
    ['a text for a number', 400, { body: '{"instances":[{"amount":"1","visits":2}]}' }],
    ['a number beyond all', 400, { body: '{"instances":[{"amount":1e999,"visits":2}]}' }],
    ['an inherited name', 400, { body: '{"instances":[{"constructor":1,"visits":2}]}' }],
    ['an instance that is none', 400, { body: '{"instances":[null,7,[]]}' }],
    [
      'a bad row among good ones',
      400,
      { body: JSON.stringify({ instances: [row, { amount: true, visits: 1 }, row] }) },
    ],
    ['thousands of rows', 200, { body: JSON.stringify({ instances: many }) }],
    [
      'thousands of rows with keys',
      200,
      { body: JSON.stringify({ instances: many, keys: many.map((_, i) => `k${i}`) }) },
    ],
    [
      'many rows in few bytes',
      200,
      { body: JSON.stringify({ instances: Array(2_000).fill({ amount: 1, visits: 2 }) }) },
    ],
    [
      'a bad row among thousands',
      400,
      { body: JSON.stringify({ instances: [...many, { amount: 'x', visits: 1 }, { visits: 1 }] }) },
    ],
    [
      'thousands of rows with a key too few',
      400,
      { body: JSON.stringify({ instances: many, keys: many.slice(1).map(() => 'k') }) },
    ],
    ['half a large document', 400, { body: JSON.stringify({ instances: many }).slice(0, -1) }],
    ['a large document of something else', 400, { body: JSON.stringify({ rows: many }) }],
    ['a large document that is no UTF-8', 400, { body: Buffer.from(`"${'ü'.repeat(200_000)}"`, 'latin1') }],
    [
      'thousands of rows for a model that is not there',
      404,
      { body: JSON.stringify({ instances: many }), path: '/v1/models/absent/predict' },
    ],
    ['no body', 400, {}],
    ['no instances', 400, { body: '{"instances":[]}' }],
    ['instances that are no array', 400, { body: '{"instances":{}}' }],
    ['a body that is no object', 400, { body: '[1]' }],
    ['null', 400, { body: 'null' }],
    ['an unknown part', 400, { body: '{"instances":[{}],"more":1}' }],
    ['keys that are too few', 400, { body: JSON.stringify({ instances: [row, row], keys: ['a'] }) }],
    ['an empty key', 400, { body: JSON.stringify({ instances: [row], keys: [''] }) }],
    [
      'a key that cannot be kept',
      400,
      { body: '{"instances":[{"amount":1,"visits":2}],"keys":["\\u0000"]}' },
    ],
    ['half a document', 400, { body: '{"instances":[' }],
    ['what is no UTF-8', 400, { body: Buffer.from('{"instances":["ü"]}', 'latin1') }],
    ['another content type', 415, { body: good, headers: { 'content-type': 'text/plain' } }],
    ['more than the limit', 413, { body: JSON.stringify('x'.repeat(LIMIT)) }],
    ['more than the limit without a length', 413, { body: 'x'.repeat(LIMIT + 1), chunked: true }],
    ['no token', 401, { body: good, token: '' }],
    ['a token that is none', 401, { body: good, token: 'nonsense' }],
    ['an unknown token', 401, { body: good, token: 'unknown' }],
    ['another scheme', 401, { body: good, token: '', headers: { authorization: 'Basic abc' } }],
    ['an unknown session', 401, { body: good, token: '', headers: { cookie: 'perennial=abc' } }],
    ['a role that may not', 403, { body: good, token: 'viewer' }],
    ['a token that is held to another model', 403, { body: good, token: 'other' }],
    ['a model that is not there', 404, { body: good, path: '/v1/models/absent/predict' }],
    ['a model without a champion', 409, { body: good, path: '/v1/models/empty/predict' }],
    ['a name that is none', 400, { body: good, path: '/v1/models/Churn_1/predict' }],
    ['an escaped name', 200, { body: good, path: '/v1/models/%63hurn/predict' }],
    ['a query', 200, { body: good, path: '/v1/models/churn/predict?x=1' }],
    ['another method', 405, { method: 'PUT', body: good }],
    ['a longer path', 404, { body: good, path: '/v1/models/churn/predict/more' }],
    ['a host that is none', 400, { body: good, headers: { host: 'a b' } }],
  ])('to %s', async (_, status, sent) => {
    const [front, app] = [await send(test.platform.url, sent), await send(plain.url, sent)];
    expect(front.body).toBe(app.body);
    expect(front.status).toBe(status);
    expect(front).toEqual(app);
  });

  it('to one who asks too often', async () => {
    tokens['few'] = await newToken({ name: 'few', roles: ['predictor'], requestsPerMinute: 1 });
    expect((await send(test.platform.url, { body: good, token: 'few' })).status).toBe(200);
    const got = await send(test.platform.url, { body: good, token: 'few' });
    expect(got).toMatchObject({ status: 429, headers: { 'ratelimit-policy': '"minute";q=1;w=60' } });
    expect(got.headers['retry-after']).toMatch(/^\d+$/);
  });
});

describe('a lookup is answered in front as by the app', () => {
  const path = '/v1/models/kept/predictions/k-1';
  const get = (sent: Sent): Sent => ({
    method: 'GET',
    headers: { 'content-type': '', 'content-length': '' },
    ...sent,
  });

  it.each<[string, number, Sent]>([
    ['a key', 200, { path }],
    ['a token that is held to another model', 403, { path, token: 'other' }],
    ['a role that may not', 403, { path, token: 'viewer' }],
    ['no token', 401, { path, token: '' }],
    ['an unknown token', 401, { path, token: 'unknown' }],
    ['an unknown key', 404, { path: '/v1/models/kept/predictions/k-2' }],
    ['a key of dots', 404, { path: '/v1/models/kept/predictions/..' }],
    ['an escaped key', 200, { path: '/v1/models/kept/predictions/k%2D1' }],
    ['a key that is too long', 400, { path: `/v1/models/kept/predictions/${'k'.repeat(257)}` }],
    ['a query', 200, { path: `${path}?x=1` }],
    ['a model that keeps no answers', 409, { path: '/v1/models/churn/predictions/k-1' }],
    ['a model that is not there', 404, { path: '/v1/models/absent/predictions/k-1' }],
    ['another method', 405, { path, method: 'DELETE' }],
    ['a longer path', 404, { path: `${path}/more` }],
  ])('to %s', async (_, status, sent) => {
    const [front, app] = [await send(test.platform.url, get(sent)), await send(plain.url, get(sent))];
    expect(front.body).toBe(app.body);
    expect(front.status).toBe(status);
    expect(front).toEqual(app);
  });

  it('and is on record', async () => {
    await send(test.platform.url, get({ path }));
    const headers = { authorization: `Bearer ${ADMIN}` };
    const found = await test.request('/v1/predictions?model=kept&key=k-1', { headers });
    const { items } = (await found.json()) as { items: unknown[] };
    expect(items[0]).toMatchObject({ key: 'k-1', mode: 'precomputed', version: 1 });
  });
});

describe('an inference is answered in front as by the app', () => {
  const path = '/v2/models/churn/infer';
  const tensors = (more = {}) =>
    JSON.stringify({
      id: '7',
      inputs: ['amount', 'visits'].map((name) => ({ name, datatype: 'FP64', shape: [2], data: [1.5, 2] })),
      ...more,
    });
  const bytes = Buffer.alloc(16);
  bytes.writeDoubleLE(1.5, 0);
  bytes.writeDoubleLE(2, 8);
  const head = JSON.stringify({
    inputs: ['amount', 'visits'].map((name) => ({
      name,
      datatype: 'FP64',
      shape: [2],
      parameters: { binary_data_size: 16 },
    })),
    parameters: { binary_data_output: true },
  });
  const binary: Sent = {
    body: Buffer.concat([Buffer.from(head), bytes, bytes]),
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(Buffer.byteLength(head)),
    },
  };

  it.each<[string, number, Sent]>([
    ['tensors in JSON', 200, { body: tensors() }],
    ['tensors in bytes', 200, binary],
    ['a version', 200, { body: tensors(), path: '/v2/models/churn/versions/1/infer' }],
    ['a body without a length', 200, { body: tensors(), chunked: true }],
    ['no content type', 200, { body: tensors(), headers: { 'content-type': '' } }],
    ['an escaped name', 200, { body: tensors(), path: '/v2/models/%63hurn/infer' }],
    ['an output that is none', 400, { body: tensors({ outputs: [{ name: 'none' }] }) }],
    ['no tensors', 400, { body: '{"inputs":[]}' }],
    ['half a document', 400, { body: '{"inputs":' }],
    ['bytes that end too early', 400, { ...binary, body: Buffer.from(head) }],
    ['a compressed body', 400, { body: tensors(), headers: { 'content-encoding': 'gzip' } }],
    ['another content type', 415, { body: tensors(), headers: { 'content-type': 'text/plain' } }],
    ['more than the limit', 413, { body: 'x'.repeat(LIMIT + 1) }],
    ['no token', 401, { body: tensors(), token: '' }],
    ['a role that may not', 403, { body: tensors(), token: 'viewer' }],
    ['a token that is held to another model', 403, { body: tensors(), token: 'other' }],
    ['a model that is not there', 404, { body: tensors(), path: '/v2/models/absent/infer' }],
    ['a version that is not there', 404, { body: tensors(), path: '/v2/models/churn/versions/9/infer' }],
  ])('to %s', async (_, status, sent) => {
    const all = { path, ...sent };
    const [front, app] = [await send(test.platform.url, all), await send(plain.url, all)];
    expect(front.body).toBe(app.body);
    expect(front.status).toBe(status);
    expect(front).toEqual(app);
  });
});
