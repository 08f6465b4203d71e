import { createHash, timingSafeEqual } from 'node:crypto';
import { allows, type Role } from '@perennial/contract';
import type { Context } from 'hono';
import { ForbiddenError, ForeignHostError, UnauthenticatedError } from '../errors.ts';

/** Who is asking. */
export interface Principal {
  /** As it stands in events and audit: `token:admin`, `local`. */
  name: string;
  roles: readonly Role[];
  /** The models (and pipelines of their names) it is held to; null: all. */
  models: readonly string[] | null;
}

export interface Credentials {
  authorization: string | undefined;
  host: string | undefined;
  /** Set by browsers where a page of another origin asks, and with every POST. */
  origin: string | undefined;
}

export function credentialsOf({ req }: Context): Credentials {
  return {
    authorization: req.header('authorization'),
    host: req.header('host'),
    origin: req.header('origin'),
  };
}

/** Tells who is asking, or refuses. */
export type Authenticate = (credentials: Credentials) => Principal;

const LOCAL_NAMES = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
const LOCAL_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * With an admin token, only its bearer is let in. Without one (loopback, development) everyone on this machine is, provided that the request was
 * sent to a name of this machine and by no page from elsewhere: neither a name that somebody points at 127.0.0.1 (DNS rebinding) nor a form or
 * script of a visited site (which need no answer to start a run or approve a release) gets through.
 */
export function authenticator(adminToken: string | null): Authenticate {
  if (adminToken === null) return authenticateLocal;
  const expected = sha256(adminToken);
  return ({ authorization }) => {
    const given = authorization?.startsWith('Bearer ') === true ? authorization.slice(7) : undefined;
    if (given === undefined || !timingSafeEqual(sha256(given), expected)) throw new UnauthenticatedError();
    return { name: 'token:admin', roles: ['admin'], models: null };
  };
}

function authenticateLocal({ host, origin }: Credentials): Principal {
  if (host === undefined || !LOCAL_NAMES.test(host)) throw new ForeignHostError();
  if (origin !== undefined && !LOCAL_ORIGIN.test(origin)) throw new ForeignHostError();
  return { name: 'local', roles: ['admin'], models: null };
}

/** @throws ForbiddenError */
export function authorize(principal: Principal, role: Role): void {
  if (!allows(principal.roles, role)) throw new ForbiddenError(role);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
