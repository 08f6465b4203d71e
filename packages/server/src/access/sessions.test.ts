import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedToken, Session, TokenRequest } from '@perennial/contract';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

const ADMIN = 'the-configured-admin-token';
const json = { 'content-type': 'application/json' };
const PAGE = { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' };

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform({ variables: { PERENNIAL_ADMIN_TOKEN: ADMIN } });
});
afterAll(() => test.stop());

let made = 0;
async function createToken(request: Partial<TokenRequest> = {}): Promise<CreatedToken> {
  const response = await test.request('/v1/tokens', {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, ...json },
    body: JSON.stringify({ name: `token ${made++}`, roles: ['operator'], ...request }),
  });
  return (await response.json()) as CreatedToken;
}

const signIn = (token: string, headers: Record<string, string> = {}) =>
  test.request('/v1/session', {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify({ token }),
  });

async function cookieFor(token: string): Promise<string> {
  const response = await signIn(token);
  expect(response.status).toBe(201);
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

const getSession = (cookie: string) => test.request('/v1/session', { headers: { cookie } });

describe('signing in by a token', () => {
  it('sets a cookie that no script reads and no other site sends, for twelve hours', async () => {
    const { secret, name } = await createToken();
    const response = await signIn(secret);
    expect(response.headers.get('set-cookie')).toMatch(
      /^perennial=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect((await response.json()) as Session).toEqual({
      principal: { name: `token:${name}`, roles: ['operator'], models: null },
      expiresAt: new Date(test.clock.now().getTime() + 43_200_000).toISOString(),
      openId: false,
    });
  });

  it('anywhere but on this machine sets it for TLS and this host alone', async () => {
    const { secret } = await createToken();
    const response = await test.platform.app.request('https://perennial.example/v1/session', {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ token: secret }),
    });
    expect(response.headers.get('set-cookie')).toMatch(
      /^__Host-perennial=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
  });

  it('with a wrong token is refused', async () => {
    const response = await signIn('perennial_wrong');
    expect(response.status).toBe(401);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('is not done for a page from elsewhere, which would have the browser be somebody else', async () => {
    const { secret } = await createToken();
    expect((await signIn(secret, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await signIn(secret, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await signIn(secret, PAGE)).status).toBe(201);
  });
});

describe('a session', () => {
  it('is who its token is, as the token is now', async () => {
    const cookie = await cookieFor((await createToken({ models: ['m'] })).secret);
    const session = (await (await getSession(cookie)).json()) as Session;
    expect(session.principal).toMatchObject({ roles: ['operator'], models: ['m'] });
    expect((await test.request('/v1/models/other', { headers: { cookie } })).status).toBe(403);
    expect((await test.request('/v1/models/m', { headers: { cookie } })).status).toBe(404);
  });

  it('ends when its token is revoked, at once on the server that revokes it', async () => {
    const { secret, id } = await createToken();
    const cookie = await cookieFor(secret);
    expect((await getSession(cookie)).status).toBe(200);
    const headers = { authorization: `Bearer ${ADMIN}` };
    await test.request(`/v1/tokens/${id}`, { method: 'DELETE', headers });
    expect((await getSession(cookie)).status).toBe(401);
  });

  it('ends after twelve hours', async () => {
    const cookie = await cookieFor(ADMIN);
    test.clock.advance(43_200_000 - 1);
    expect((await getSession(cookie)).status).toBe(200);
    test.clock.advance(1);
    expect((await getSession(cookie)).status).toBe(401);
  });

  it('ends with sign-out, and the cookie goes', async () => {
    const cookie = await cookieFor(ADMIN);
    const response = await test.request('/v1/session', { method: 'DELETE', headers: { cookie, ...PAGE } });
    expect(response.status).toBe(200);
    expect(response.headers.get('set-cookie')).toMatch(/^perennial=; Max-Age=0;/);
    expect((await getSession(cookie)).status).toBe(401);
  });

  it('that was ended on another server ends here within a second', async () => {
    const cookie = await cookieFor(ADMIN);
    expect((await getSession(cookie)).status).toBe(200);
    await test.database.sql`update sessions set ended_at = now() where ended_at is null`;
    expect((await getSession(cookie)).status).toBe(200);
    test.clock.advance(1_000);
    expect((await getSession(cookie)).status).toBe(401);
  });

  it.each(['perennial=', 'perennial=guessed', `perennial=${'x'.repeat(43)}`])(
    'that nobody opened (%s) lets nobody in',
    async (cookie) => {
      expect((await getSession(cookie)).status).toBe(401);
    },
  );

  it('is not taken under the bare name away from this machine, where a sibling host could have planted it', async () => {
    const cookie = await cookieFor(ADMIN);
    const headers = { cookie, host: 'perennial.example' };
    expect((await test.request('/v1/session', { headers })).status).toBe(401);
  });
});

describe('a change that comes with the cookie', () => {
  const change = (headers: Record<string, string>) =>
    test.request('/v1/retention/apply', { method: 'POST', headers: { ...json, ...headers }, body: '{}' });

  it('is taken from the platform’s own pages', async () => {
    const cookie = await cookieFor(ADMIN);
    expect((await change({ cookie, ...PAGE })).status).toBe(200);
    expect((await change({ cookie, origin: 'http://localhost' })).status).toBe(200);
  });

  it.each<Record<string, string>>([
    {},
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: '' },
    { origin: 'http://localhost:5173' },
    { origin: 'http://localhost.evil.example' },
    { origin: 'http://localhost', 'sec-fetch-site': 'same-site' },
    { origin: 'http://localhost', 'sec-fetch-site': 'cross-site' },
    { origin: 'http://localhost', 'sec-fetch-site': 'none' },
  ])('is refused with %j', async (headers) => {
    const cookie = await cookieFor(ADMIN);
    expect((await change({ cookie, ...headers })).status).toBe(403);
  });

  it('needs no such word with a token, which no browser sends by itself', async () => {
    expect((await change({ authorization: `Bearer ${ADMIN}` })).status).toBe(200);
  });
});

it('the database has neither cookies nor tokens', async () => {
  const { secret } = await createToken();
  const cookie = await cookieFor(secret);
  await cookieFor(ADMIN);
  const rows = await test.database.sql`
    select (select json_agg(s) from sessions s)::text || (select json_agg(t) from tokens t)::text
      || (select json_agg(a) from audit_entries a)::text as everything`;
  const everything = String(rows[0]?.['everything']);
  expect(everything).toContain('session.opened');
  for (const value of [secret, ADMIN, cookie.split('=')[1] ?? cookie])
    expect(everything).not.toContain(value);
});
