import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidRequestError, ROUTES, type Problem, type RouteName } from '@perennial/contract';
import { createClient, type Client } from './client.ts';
import { ApiError, ConnectionError, UnexpectedAnswerError } from './errors.ts';
import { sending, startRecordingServer, type RecordingServer } from './testing/recording-server.ts';

let server: RecordingServer;
let client: Client;
beforeEach(async () => {
  server = await startRecordingServer();
  client = createClient({ baseUrl: server.baseUrl });
});
afterEach(() => server.close());

const run = 'run_0190b0a4-0000-7000-8000-000000000000';
const problem: Problem = {
  type: 'urn:perennial:error:no-champion',
  title: 'no-champion',
  status: 409,
  detail: "The model 'm' has no champion.",
  instance: 'request-1',
  details: { model: 'm' },
};

it('has a method for every route', () => {
  expect(Object.keys(client).filter((name) => name in ROUTES)).toEqual(Object.keys(ROUTES) as RouteName[]);
});

describe('a request', () => {
  it('of a GET carries its parameters in the address and no body', async () => {
    await client.listVersions({ params: { model: 'flight-delay' }, query: { limit: 5, cursor: 'a b&c=d' } });
    expect(server.arrived).toMatchObject([
      { method: 'GET', url: '/v1/models/flight-delay/versions?limit=5&cursor=a+b%26c%3Dd', body: '' },
    ]);
    expect(server.arrived[0]?.headers).toMatchObject({ accept: 'application/json' });
    expect(server.arrived[0]?.headers['content-type']).toBeUndefined();
  });

  it('leaves out what is undefined in the query', async () => {
    await client.listRuns({ query: { cursor: undefined, pipeline: 'p', state: undefined } });
    expect(server.arrived[0]?.url).toBe('/v1/runs?pipeline=p');
  });

  it('of a POST carries its body as JSON', async () => {
    await client.startRun({ params: { pipeline: 'p' }, body: { force: true } });
    expect(server.arrived).toMatchObject([
      { method: 'POST', url: '/v1/pipelines/p/runs', body: '{"force":true}' },
    ]);
    expect(server.arrived[0]?.headers['content-type']).toBe('application/json');
  });

  it('of a DELETE carries no body', async () => {
    const webhook = 'hook_0190b0a4-0000-7000-8000-000000000000';
    await client.deleteWebhook({ params: { webhook } });
    expect(server.arrived).toMatchObject([{ method: 'DELETE', url: `/v1/webhooks/${webhook}`, body: '' }]);
    expect(server.arrived[0]?.headers['content-type']).toBeUndefined();
  });

  it('of a POST that takes no body carries an empty object', async () => {
    await client.cancelRun({ params: { run } });
    expect(server.arrived[0]?.body).toBe('{}');
  });

  it.each([
    ['a/b', 'a%2Fb'],
    ['a?b#c', 'a%3Fb%23c'],
    ['ä €', '%C3%A4%20%E2%82%AC'],
    ['%2e%2e', '%252e%252e'],
    ['sha256:00', 'sha256%3A00'],
    ['...', '...'],
  ])('puts %j into the path as %s', async (dataset, segment) => {
    await client.getDataset({ params: { dataset } });
    expect(server.arrived[0]?.url).toBe(`/v1/datasets/${segment}`);
  });

  it.each(['', '.', '..'])('is not sent when a part of its path is %j', async (model) => {
    await expect(client.predict({ params: { model }, body: { instances: [{}] } })).rejects.toThrow(
      InvalidRequestError,
    );
    expect(server.arrived).toEqual([]);
  });

  it('carries the token where there is one, and none where there is none', async () => {
    await createClient({ baseUrl: server.baseUrl, token: 'secret' }).getDoctor({});
    await client.getDoctor({});
    expect(server.arrived.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', undefined]);
  });

  it('carries the idempotency key it is given', async () => {
    await client.cancelRun({ params: { run } }, { idempotencyKey: 'once' });
    await client.cancelRun({ params: { run } });
    expect(server.arrived.map(({ headers }) => headers['idempotency-key'])).toEqual(['once', undefined]);
  });

  it.each(['/perennial', '/perennial/'])('goes below the path %s of the base URL', async (path) => {
    await createClient({ baseUrl: server.baseUrl + path }).getDoctor({});
    expect(server.arrived[0]?.url).toBe('/perennial/v1/doctor');
  });

  it('goes through the fetch it is given', async () => {
    const urls: string[] = [];
    const counted: typeof fetch = (input, init) => {
      urls.push(input instanceof URL ? input.href : '');
      return fetch(input, init);
    };
    await createClient({ baseUrl: server.baseUrl, fetch: counted }).getDoctor({});
    expect(urls).toEqual([`${server.baseUrl}/v1/doctor`]);
  });
});

describe('an answer', () => {
  it('is given back as it came', async () => {
    server.answer(sending(200, { checkups: [] }));
    expect(await client.getDoctor({})).toEqual({ checkups: [] });
  });

  it('that is a problem becomes an error with its code, status and details', async () => {
    server.answer(sending(409, problem, 'application/problem+json'));
    const error = await client.getModel({ params: { model: 'm' } }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 409, code: 'no-champion', message: problem.detail, problem });
  });

  it.each([
    ['is no JSON', 200, '<html>A proxy</html>'],
    ['is cut short', 200, '{"items":['],
    ['is empty', 200, ''],
    ['fails without a problem document', 502, '<html>Bad gateway</html>'],
    ['fails with JSON of another kind', 500, '{"error":"oh"}'],
  ])('that %s is told as unexpected, with route and status', async (_, status, body) => {
    server.answer(sending(status, body));
    const error = await client.getModel({ params: { model: 'm' } }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
    expect(error).toMatchObject({ route: '/v1/models/{model}', status });
  });

  it('that breaks off in the middle is a lost connection', async () => {
    server.answer((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"items":', () => response.destroy());
    });
    await expect(client.listModels({ query: {} })).rejects.toBeInstanceOf(ConnectionError);
  });
});

describe('a server that is not there', () => {
  it('is told with its address and what to do', async () => {
    const gone = await startRecordingServer();
    await gone.close();
    const error = await createClient({ baseUrl: gone.baseUrl })
      .getDoctor({})
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ baseUrl: gone.baseUrl });
    expect((error as Error).message).toBe(
      `No answer from ${gone.baseUrl}. Is the platform running? Start it with: perennial up`,
    );
  });

  it('is refused at once when its address is none', () => {
    for (const baseUrl of ['', 'localhost:8080', 'ftp://127.0.0.1', 'nonsense'])
      expect(() => createClient({ baseUrl })).toThrow(TypeError);
  });
});

describe('a caller who gives up', () => {
  it('before the answer gets its own reason back', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    server.answer(() => controller.abort(reason));
    await expect(client.getDoctor({}, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('in the middle of the answer gets its own reason back', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    server.answer((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"items":', () => setImmediate(() => controller.abort(reason)));
    });
    await expect(client.listModels({ query: {} }, { signal: controller.signal })).rejects.toBe(reason);
  });
});
