import { hash, timingSafeEqual } from 'node:crypto';
import { allows, type Role } from '@perennial/contract';
import type { Context } from 'hono';
import { ForbiddenError, ForeignHostError, UnauthenticatedError } from '../errors.ts';
import { addressOf } from './request-origin.ts';

/** Who is asking. */
export interface Principal {
  /** As it stands in events and audit: `token:admin`, `local`. */
  name: string;
  roles: readonly Role[];
  /** The models (and pipelines of their names) it is held to; null: all. */
  models: readonly string[] | null;
  /** Requests a minute; null: not limited. @default the installation's */
  requestsPerMinute?: number | null;
}

/** What a request says of who sent it. */
export interface Credentials {
  method: string;
  authorization: string | undefined;
  cookie: string | undefined;
  host: string | undefined;
  /** Set by browsers where a page of another origin asks, and with every POST. */
  origin: string | undefined;
  /** Set by browsers: `same-origin`, `same-site`, `cross-site` or `none`. */
  fetchSite: string | undefined;
  /** Network address of who sent it. */
  address: string;
}

/** What a request says of who sent it, each part read when it is asked for: a good token needs one of them. */
export function credentialsOf(c: Context): Credentials {
  return new RequestCredentials(c);
}

class RequestCredentials implements Credentials {
  readonly #c: Context;

  constructor(c: Context) {
    this.#c = c;
  }

  get method() {
    return this.#c.req.method;
  }

  get authorization() {
    return this.#c.req.header('authorization');
  }

  get cookie() {
    return this.#c.req.header('cookie');
  }

  get host() {
    return this.#c.req.header('host');
  }

  get origin() {
    return this.#c.req.header('origin');
  }

  get fetchSite() {
    return this.#c.req.header('sec-fetch-site');
  }

  get address() {
    return addressOf(this.#c);
  }
}

/** Tells who is asking, or refuses; at once wherever memory suffices. */
export type Authenticate = (credentials: Credentials) => Principal | Promise<Principal>;

/** Who may do everything by the configuration's token. */
export const CONFIGURED_ADMIN: Principal = {
  name: 'token:admin',
  roles: ['admin'],
  models: null,
  requestsPerMinute: null,
};

const LOCAL: Principal = { name: 'local', roles: ['admin'], models: null, requestsPerMinute: null };

const LOCAL_NAMES = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
const LOCAL_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * Lets the bearer of one token in and nobody else; without a token (loopback, development), everyone on this machine.
 * @throws UnauthenticatedError, ForeignHostError
 */
export function authenticator(adminToken: string | null): (credentials: Credentials) => Principal {
  if (adminToken === null) return authenticateLocal;
  const isAdminToken = tokenComparison(adminToken);
  return ({ authorization }) => {
    const given = bearerOf(authorization);
    if (given === undefined || !isAdminToken(given)) throw new UnauthenticatedError();
    return CONFIGURED_ADMIN;
  };
}

/** Compares with a token in a time that does not depend on where the two differ, or on their lengths. */
export function tokenComparison(token: string): (given: string) => boolean {
  const expected = sha256(token);
  return (given) => timingSafeEqual(sha256(given), expected);
}

/** The token of an `Authorization: Bearer …`; undefined where the header is absent or says something else. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return authorization?.startsWith('Bearer ') === true ? authorization.slice(7) : undefined;
}

/**
 * Everyone on this machine, provided that the request was sent to a name of this machine and by no page from elsewhere: neither a name that somebody points at
 * 127.0.0.1 (DNS rebinding) nor a form or script of a visited site (which need no answer to start a run or approve a release) gets through.
 * @throws ForeignHostError
 */
export function authenticateLocal({ host, origin }: Credentials): Principal {
  if (host === undefined || !LOCAL_NAMES.test(host)) throw new ForeignHostError();
  if (origin !== undefined && !LOCAL_ORIGIN.test(origin)) throw new ForeignHostError();
  return LOCAL;
}

/** @throws ForbiddenError */
export function authorize(principal: Principal, role: Role): void {
  if (!allows(principal.roles, role)) throw new ForbiddenError(role);
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
