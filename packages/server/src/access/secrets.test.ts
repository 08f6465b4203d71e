import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES, type CreatedToken, type Route } from '@perennial/contract';
import { createLogger } from '../platform/logger.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

const ADMIN = 'the-configured-admin-token';
const json = { 'content-type': 'application/json' };

const lines: string[] = [];
let test: TestPlatform;
let token: string;
let cookie: string;
beforeAll(async () => {
  test = await startTestPlatform({
    logger: createLogger('debug', { write: (line) => void lines.push(line) }),
    variables: { PERENNIAL_ADMIN_TOKEN: ADMIN, PERENNIAL_TRUSTED_PROXIES: '1' },
  });
  const created = await post('/v1/tokens', { name: 'app', roles: ['admin'], requestsPerMinute: 10_000 });
  token = ((await created.json()) as CreatedToken).secret;
  const opened = await post('/v1/session', { token });
  cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
});
afterAll(() => test.stop());

const post = (path: string, body: unknown) =>
  test.request(path, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, ...json },
    body: JSON.stringify(body),
  });

async function ask(route: Route, headers: Record<string, string>): Promise<Response> {
  return test.request(route.path.replace(/\{\w+\}/g, 'absent'), {
    method: route.method,
    headers: { ...json, ...headers },
    ...(route.method === 'GET' ? {} : { body: JSON.stringify({ token }) }),
  });
}

it('no log of a run of all routes has a token, a cookie or a secret', async () => {
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    if (name === 'closeSession') continue;
    await ask(route, { authorization: `Bearer ${token}` });
    await ask(route, { authorization: `Bearer ${ADMIN}` });
    // From elsewhere, as whoever shows so many is told to wait.
    await ask(route, { authorization: `Bearer ${token}wrong`, 'x-forwarded-for': '203.0.113.7' });
    await ask(route, { cookie, origin: 'http://localhost' });
  }
  const log = lines.join('');
  expect(lines.length).toBeGreaterThan(4 * Object.keys(ROUTES).length - 10);
  for (const secret of [token, ADMIN, cookie.split('=')[1] ?? '']) {
    expect(secret.length).toBeGreaterThan(20);
    expect(log).not.toContain(secret);
  }
  expect(log).not.toContain('perennial_');
});

describe('every answer', () => {
  it.each(Object.entries<Route>(ROUTES))(
    'of %s tells the browser to keep, sniff and frame nothing',
    async (_, route) => {
      const { headers } = await ask(route, { authorization: `Bearer ${ADMIN}` });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain('frame-ancestors');
    },
  );
});

describe('a token with a limit of its own', () => {
  it('is told to wait when it has used it up, and when it may go on', async () => {
    const created = await post('/v1/tokens', { name: 'slow', roles: ['viewer'], requestsPerMinute: 2 });
    const { secret } = (await created.json()) as CreatedToken;
    const headers = { authorization: `Bearer ${secret}` };
    for (let i = 0; i < 2; i++) expect((await test.request('/v1/runs', { headers })).status).toBe(200);
    const refused = await test.request('/v1/runs', { headers });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-policy')).toBe('"minute";q=2;w=60');
  });
});
