import type { Route } from '@perennial/contract';
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { SignInFailedError } from '../errors.ts';
import { baseUrlOf, originOf } from '../http/request-origin.ts';
import type { OpenIdSignIn, SignInTransaction } from './openid-sign-in.ts';
import { SESSION_COOKIE, cookieHeader, cookieValue, expiredCookieHeader } from './session-cookie.ts';
import { SESSION_SECONDS, type SessionDesk } from './session-desk.ts';

/** The routes that browsers go through, which answer with redirects and pages and are no part of the REST API's table. */
export const OPENID_ROUTES = {
  beginSignIn: { method: 'GET', path: '/v1/session/openid', role: 'public', scope: 'any' },
  finishSignIn: { method: 'GET', path: '/v1/session/openid/callback', role: 'public', scope: 'any' },
} as const satisfies Record<string, Pick<Route, 'method' | 'path' | 'role' | 'scope'>>;

export interface OpenIdRouteParts {
  /** Null: not set up. */
  openId: OpenIdSignIn | null;
  sessions: SessionDesk;
}

/** How long a sign-in may take at the provider. */
const TRANSACTION_SECONDS = 600;
const TRANSACTION_COOKIE = 'perennial-sign-in';

/** A page of ours: a path, which neither `//elsewhere` nor `/\elsewhere` is. */
const OWN_PATH = /^\/(?![/\\])[\x21-\x7e]{0,500}$/;

const transactionSchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  to: z.string().regex(OWN_PATH),
});

export function registerOpenIdRoutes(app: Hono, parts: OpenIdRouteParts): void {
  app.get(OPENID_ROUTES.beginSignIn.path, (c) => beginSignIn(c, parts));
  app.get(OPENID_ROUTES.finishSignIn.path, (c) => finishSignIn(c, parts));
}

async function beginSignIn(c: Context, { openId }: OpenIdRouteParts): Promise<Response> {
  const { url, transaction } = await setUp(openId).begin(redirectUriOf(c));
  const asked = c.req.query('to') ?? '/';
  const to = OWN_PATH.test(asked) ? asked : '/';
  const value = Buffer.from(JSON.stringify({ ...transaction, to })).toString('base64url');
  // The way back from the provider comes from another site, which a Strict cookie would not survive.
  const cookie = cookieHeader(value, {
    name: TRANSACTION_COOKIE,
    baseUrl: baseUrlOf(c),
    maxAgeSeconds: TRANSACTION_SECONDS,
    sameSite: 'Lax',
  });
  c.header('set-cookie', cookie);
  return c.redirect(url.href, 302);
}

async function finishSignIn(c: Context, { openId, sessions }: OpenIdRouteParts): Promise<Response> {
  const { to, ...transaction } = readTransaction(c);
  const baseUrl = baseUrlOf(c);
  const returned = new URL(redirectUriOf(c));
  returned.search = new URL(c.req.url).search;
  const principal = await setUp(openId).finish(returned, transaction);
  const { value } = await sessions.open(principal, { kind: 'openid' }, originOf(c));
  const name = SESSION_COOKIE;
  const ended = expiredCookieHeader({ name: TRANSACTION_COOKIE, baseUrl, sameSite: 'Lax' });
  c.header('set-cookie', ended);
  c.header('set-cookie', cookieHeader(value, { name, baseUrl, maxAgeSeconds: SESSION_SECONDS }), {
    append: true,
  });
  // A redirect would still count as coming from the provider, and go without the Strict cookie; a page of our own does not.
  return c.html(
    `<!doctype html><meta http-equiv="refresh" content="0;url=${escapeHtml(to)}"><title>Signed in</title>`,
  );
}

function readTransaction(c: Context): SignInTransaction & { to: string } {
  const host = c.req.header('host');
  const value = cookieValue(c.req.header('cookie'), { name: TRANSACTION_COOKIE, host });
  const parsed = transactionSchema.safeParse(parseJson(Buffer.from(value ?? '', 'base64url').toString()));
  if (!parsed.success) {
    throw new SignInFailedError(
      'unauthenticated',
      'This browser began no sign-in, or long ago: begin again.',
    );
  }
  return parsed.data;
}

/** @throws SignInFailedError */
function setUp(openId: OpenIdSignIn | null): OpenIdSignIn {
  if (openId !== null) return openId;
  throw new SignInFailedError('not-found', 'Sign-in by OpenID Connect is not set up here.');
}

const redirectUriOf = (c: Context) => `${baseUrlOf(c)}${OPENID_ROUTES.finishSignIn.path}`;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
