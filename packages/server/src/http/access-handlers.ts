import type { Session } from '@perennial/contract';
import { listTokens } from '@perennial/storage';
import type { Access } from '../access/access.ts';
import { refuseCrossSite } from '../access/authenticate.ts';
import { SESSION_COOKIE, cookieHeader, cookieValue, expiredCookieHeader } from '../access/session-cookie.ts';
import { SESSION_SECONDS } from '../access/session-desk.ts';
import { createToken, revokeTokenById, type TokenDeskParts } from '../access/token-desk.ts';
import type { Credentials, Principal } from './authentication.ts';
import type { HandlerContext, Handlers } from './route-registration.ts';

export interface AccessHandlerDependencies extends Omit<TokenDeskParts, 'table'> {
  access: Access;
}

/** Tokens, and the sessions of browsers. */
export function accessHandlers({ access, ...parts }: AccessHandlerDependencies) {
  const { database, clock, ids } = parts;
  const desk = { database, clock, ids, table: access.table };
  return {
    createToken: ({ body }, { principal, origin }) => createToken(desk, body, { by: principal.name, origin }),
    listTokens: ({ query }) => listTokens(database.orm, query),
    revokeToken: ({ params }, { principal, origin }) =>
      revokeTokenById(desk, params.token, { by: principal.name, origin }),
    openSession: ({ body }, context) => openSession(access, body.token, context),
    getSession: async (_, { principal, credentials }) =>
      sessionOf(access, principal, await expiryOf(access, credentials)),
    closeSession: (_, context) => closeSession(access, context),
  } satisfies Partial<Handlers>;
}

async function openSession(access: Access, token: string, context: HandlerContext): Promise<Response> {
  const { credentials, baseUrl, origin } = context;
  // A page from elsewhere could sign the browser in as somebody else, whose doings it then watches. What is no browser sends no Origin.
  if (credentials.origin !== undefined || credentials.fetchSite !== undefined)
    refuseCrossSite(credentials, access.publicUrl);
  const principal = await access.door.admit(token, credentials);
  access.limits.count(principal);
  const { value, expiresAt } = await access.sessions.open(principal, access.door.voucherOf(token), origin);
  const cookie = cookieHeader(value, { name: SESSION_COOKIE, baseUrl, maxAgeSeconds: SESSION_SECONDS });
  return withCookie(sessionOf(access, principal, expiresAt), 201, cookie);
}

async function closeSession(access: Access, context: HandlerContext): Promise<Response> {
  const { credentials, baseUrl, origin, principal } = context;
  const value = cookieValue(credentials.cookie, { name: SESSION_COOKIE, host: credentials.host });
  if (value !== undefined) await access.sessions.close(value, principal.name, origin);
  const cookie = expiredCookieHeader({ name: SESSION_COOKIE, baseUrl });
  return withCookie(sessionOf(access, principal, null), 200, cookie);
}

async function expiryOf({ sessions }: Access, { authorization, cookie, host }: Credentials) {
  const value = cookieValue(cookie, { name: SESSION_COOKIE, host });
  if (value === undefined || authorization !== undefined) return null;
  return (await sessions.find(value))?.expiresAt ?? null;
}

function sessionOf({ openId }: Access, { name, roles, models }: Principal, expiresAt: Date | null): Session {
  return {
    principal: { name, roles: [...roles], models: models && [...models] },
    expiresAt: expiresAt?.toISOString() ?? null,
    openId: openId !== null,
  };
}

function withCookie(session: Session, status: number, cookie: string): Response {
  return Response.json(session, { status, headers: { 'set-cookie': cookie } });
}
