import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem, Session } from '@perennial/contract';
import { startOpenIdProvider, type OpenIdProvider } from '../testing/openid-provider.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

const PUBLIC_URL = 'http://localhost:8080';
const CALLBACK = `${PUBLIC_URL}/v1/session/openid/callback`;

let provider: OpenIdProvider;
let test: TestPlatform;
beforeAll(async () => {
  provider = await startOpenIdProvider(CALLBACK);
  test = await startTestPlatform({
    variables: {
      PERENNIAL_ADMIN_TOKEN: 'the-configured-admin-token',
      PERENNIAL_PUBLIC_URL: PUBLIC_URL,
      PERENNIAL_OIDC_ISSUER: provider.issuer,
      PERENNIAL_OIDC_CLIENT_ID: provider.clientId,
      PERENNIAL_OIDC_CLIENT_SECRET: provider.clientSecret,
      PERENNIAL_OIDC_ROLES: 'ml-admins=admin,ml=operator,ml=approver',
    },
  });
});
afterAll(async () => {
  await test.stop();
  await provider.close();
});

const ADA = { sub: '248289', email: 'Ada@example.org', email_verified: true, groups: ['ml', 'golf'] };

async function begin(to?: string): Promise<{ url: string; cookie: string }> {
  const query = to === undefined ? '' : `?to=${encodeURIComponent(to)}`;
  const response = await test.request(`/v1/session/openid${query}`);
  expect(response.status).toBe(302);
  const [line = ''] = response.headers.getSetCookie();
  expect(line).toMatch(/^perennial-sign-in=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
  return { url: response.headers.get('location') ?? '', cookie: line.split(';')[0] ?? '' };
}

const comeBack = ({ search }: URL, cookie: string) =>
  test.request(`/v1/session/openid/callback${search}`, { headers: { cookie } });

async function signIn(person: OpenIdProvider['person'], to?: string): Promise<Response> {
  provider.person = person;
  const { url, cookie } = await begin(to);
  return comeBack(await provider.visit(url), cookie);
}

async function sessionOf(response: Response): Promise<Session> {
  const line = response.headers.getSetCookie().find((one) => one.startsWith('perennial='));
  const cookie = line?.split(';')[0] ?? '';
  const answer = await test.request('/v1/session', { headers: { cookie } });
  return (await answer.json()) as Session;
}

describe('a person who signs in by OpenID Connect', () => {
  it('has the roles of their groups, under the address that the provider verified', async () => {
    const response = await signIn(ADA);
    expect(response.status).toBe(200);
    expect(await sessionOf(response)).toMatchObject({
      principal: { name: 'user:ada@example.org', roles: ['operator', 'approver'], models: null },
      openId: true,
    });
  });

  it('is called by their subject where the address was not verified, as anybody could have given it', async () => {
    const response = await signIn({ ...ADA, email_verified: false });
    expect((await sessionOf(response)).principal.name).toBe('user:248289');
  });

  it('without a group that has a role is not let in', async () => {
    const response = await signIn({ ...ADA, groups: ['golf'] });
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it('comes back to where they were, by a page of ours that the Strict cookie goes along with', async () => {
    const response = await signIn(ADA, '/models/m?tab=card&x=1');
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(await response.text()).toContain('content="0;url=/models/m?tab=card&#38;x=1"');
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^perennial-sign-in=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/),
      expect.stringMatching(/^perennial=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
  });

  it.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '/\r\nx'])(
    'is not sent on to %j',
    async (to) => {
      expect(await (await signIn(ADA, to)).text()).toContain('content="0;url=/"');
    },
  );
});

describe('what comes back', () => {
  it('is of a code flow with PKCE, state and nonce', async () => {
    const { searchParams } = new URL((await begin()).url);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
      redirect_uri: CALLBACK,
    });
  });

  it('to a browser that began nothing is refused', async () => {
    provider.person = ADA;
    const returned = await provider.visit((await begin()).url);
    expect((await comeBack(returned, '')).status).toBe(401);
    expect((await comeBack(returned, 'perennial-sign-in=nonsense')).status).toBe(401);
  });

  it('from another sign-in is refused: an attacker’s code does not sign a victim in', async () => {
    provider.person = ADA;
    const theirs = await provider.visit((await begin()).url);
    const { cookie } = await begin();
    const response = await comeBack(theirs, cookie);
    expect(response.status).toBe(401);
    expect(((await response.json()) as Problem).title).toBe('unauthenticated');
  });

  it('counts once', async () => {
    provider.person = ADA;
    const { url, cookie } = await begin();
    const returned = await provider.visit(url);
    expect((await comeBack(returned, cookie)).status).toBe(200);
    expect((await comeBack(returned, cookie)).status).toBe(401);
  });

  it('as an error of the provider is refused', async () => {
    const { url, cookie } = await begin();
    const state = new URL(url).searchParams.get('state') ?? '';
    const returned = new URL(
      `${CALLBACK}?${new URLSearchParams({ error: 'access_denied', state }).toString()}`,
    );
    expect((await comeBack(returned, cookie)).status).toBe(401);
  });
});
