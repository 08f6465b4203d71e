import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES, problemSchema, type Route, type RouteName } from '@perennial/contract';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform();
});
afterAll(() => test.stop());

const problemOf = async (response: Response) => problemSchema.parse(await response.json());
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  test.request(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

describe('every answer', () => {
  it.each(['/healthz', '/v1/runs', '/v1/nowhere', '/v1/models/absent', '/metrics', '/openapi.json'])(
    'of %s tells its request and browsers to keep out',
    async (path) => {
      const { headers } = await test.request(path);
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  it('that is a problem names the request as its header does', async () => {
    const response = await test.request('/v1/models/absent');
    const { instance } = await problemOf(response);
    expect(instance).toBe(response.headers.get('x-request-id'));
  });
});

describe('an address', () => {
  it.each(['/', '/v1', '/v1/', '/v3/models', '/v1/models/', '/v1//models', '/V1/models', '/v1/runs/x/y/z'])(
    'such as %s leads nowhere',
    async (path) => {
      const response = await test.request(path);
      expect(response.status).toBe(404);
      expect((await problemOf(response)).title).toBe('not-found');
    },
  );

  it.each([
    ['DELETE', '/v1/models/m', 'GET, PATCH'],
    ['PUT', '/v1/pipelines/p/runs', 'POST'],
    ['GET', '/v1/ground-truth', 'POST'],
    ['POST', '/v1/runs', 'GET'],
  ])('asked with %s %s says that it takes %s', async (method, path, allowed) => {
    const response = await test.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allowed);
    expect(await problemOf(response)).toMatchObject({
      title: 'method-not-allowed',
      details: { allowed: allowed.split(', ') },
    });
  });
});

describe('a page of another site', () => {
  it.each([
    ['/v1/releases/rel_0190b0a4-0000-7000-8000-000000000000/approve', '{"reason":"evil"}'],
    ['/v1/runs/run_0190b0a4-0000-7000-8000-000000000000/cancel', ''],
  ])('cannot POST to %s, though a browser lets it send that', async (path, body) => {
    // What `fetch(url, { method: 'POST', mode: 'no-cors', body: new Blob([…]) })` sends: no content type, no preflight.
    const response = await test.request(path, {
      method: 'POST',
      body: new Blob([body]),
      headers: { origin: 'https://evil.example' },
    });
    expect(response.status).toBe(403);
  });
});

describe('what the platform says of itself', () => {
  it('is alive and ready', async () => {
    expect(await (await test.request('/healthz')).json()).toEqual({ live: true });
    expect((await test.request('/readyz')).status).toBe(200);
  });

  it('counts requests by the route they matched, never by the address they came with', async () => {
    await test.request('/v1/models/some-name');
    await test.request('/v1/some/where');
    const text = await (await test.request('/metrics')).text();
    const routes = [...text.matchAll(/perennial_http_request_duration_seconds_count\{.*route="([^"]+)"/g)];
    const labels = routes.map((match) => match[1]);
    expect(labels).toContain('/v1/models/:model');
    expect(labels.join()).not.toMatch(/some-name|some\/where/);
  });

  it('has a documentation page that asks no other host for anything', async () => {
    const response = await test.request('/docs');
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'self'/);
    const page = await response.text();
    expect(page).not.toMatch(/https?:\/\//);
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(files).toHaveLength(3);
    for (const file of files) expect((await test.request(file)).status).toBe(200);
  });
});

describe('hostile input', () => {
  const names = Object.keys(ROUTES) as RouteName[];
  const hostile = fc.oneof(
    fc.constantFrom(
      '..',
      '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
      '%00',
      '%ff%fe',
      '%E0%A4%A',
      "'%20or%201=1--",
      '9'.repeat(400),
      '-1',
      '0000-01-01',
      '9999-12-31',
      '0000-01-01T00:00:00Z',
      'NaN',
      '__proto__',
      'constructor',
      'a'.repeat(5_000),
    ),
    fc
      .string({ unit: 'binary', maxLength: 40 })
      .map((text) => encodeURIComponent(Buffer.from(text).toString())),
  );

  it('in an address is answered with a problem that is the caller’s', async () => {
    const request = fc.record({
      name: fc.constantFrom(...names.filter((name) => name !== 'getDoctor')),
      values: fc.array(hostile, { minLength: 3, maxLength: 3 }),
      query: fc.dictionary(
        fc.constantFrom('limit', 'cursor', 'pipeline', 'state', 'model', 'key', 'from', 'to', 'x'),
        hostile,
      ),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ name, values, query }) => {
        const route: Route = ROUTES[name];
        let next = 0;
        const path = route.path.replace(/\{\w+\}/g, () => values[next++] ?? 'x');
        const search = Object.entries(query).map(([key, value]) => `${key}=${value}`);
        const response = await test.request(`${path}?${search.join('&')}`, { method: route.method });
        expect(response.status).toBeLessThan(500);
        if (response.status >= 400) await problemOf(response);
      }),
      { numRuns: 300 },
    );
  });

  it('in a body is answered with a problem that is the caller’s', async () => {
    const text = fc.oneof(
      fc.constantFrom(
        '\u0000',
        '\ud800',
        'absent',
        '__proto__',
        '0000-01-01T00:00:00Z',
        '9999-12-31T23:59:59Z',
      ),
      fc.string({ unit: 'binary' }),
    );
    const value = fc.oneof(text, fc.double(), fc.boolean(), fc.constant(null), fc.jsonValue());
    const field = fc.constantFrom(
      'items',
      'instances',
      'keys',
      'reason',
      'asOf',
      'force',
      'trigger',
      'x',
      '__proto__',
    );
    const item = fc.dictionary(fc.constantFrom('model', 'key', 'label', 'observedAt', 'prediction'), value);
    const body = fc.dictionary(field, fc.oneof(value, fc.array(item, { maxLength: 3 })));
    const posts = names.filter((name) => ROUTES[name].method === 'POST' && 'body' in ROUTES[name]);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...posts), body, async (name, content) => {
        const path = ROUTES[name].path.replace(
          /\{(run|release)\}/g,
          '$1_0190b0a4-0000-7000-8000-000000000000',
        );
        const response = await post(path.replace(/\{\w+\}/g, 'absent'), JSON.stringify(content));
        expect(response.status).toBeGreaterThanOrEqual(400);
        expect(response.status).toBeLessThan(500);
        await problemOf(response);
      }),
      { numRuns: 300 },
    );
  });

  it('in a header is answered with a problem that is the caller’s', async () => {
    const headers: Record<string, string>[] = [
      { 'idempotency-key': 'ä' },
      { 'idempotency-key': 'x'.repeat(1_000) },
      { accept: '*/*;q=nonsense' },
      { 'content-type': ';;;' },
    ];
    for (const header of headers) {
      const response = await post('/v1/pipelines/absent/runs', '{}', header);
      expect([400, 404, 415]).toContain(response.status);
      await problemOf(response);
    }
  });

  it('nested too deeply is refused as anything else', async () => {
    const deep = '['.repeat(200_000);
    for (const body of [deep, `${deep}${']'.repeat(200_000)}`, `{"reason":${deep}`]) {
      const response = await post('/v1/pipelines/absent/runs', body);
      expect(response.status).toBe(400);
    }
  });
});
