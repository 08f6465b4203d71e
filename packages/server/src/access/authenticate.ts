import type { Clock } from '@perennial/contract';
import type { LiveToken } from '@perennial/storage';
import { CrossSiteRequestError, UnauthenticatedError } from '../errors.ts';
import {
  CONFIGURED_ADMIN,
  authenticateLocal,
  bearerOf,
  tokenComparison,
  type Authenticate,
  type Credentials,
  type Principal,
} from '../http/authentication.ts';
import type { RequestLimits } from './request-limits.ts';
import { SESSION_COOKIE, cookieValue } from './session-cookie.ts';
import type { SessionDesk, Voucher } from './session-desk.ts';
import { TokenHashes, hashSecret, looksLikeToken } from './token-secret.ts';
import type { TokenTable } from './token-table.ts';
import type { TokenUses } from './token-uses.ts';

export interface DoorParts {
  /** The configuration's token; null on loopback only. */
  adminToken: string | null;
  table: TokenTable;
  uses: TokenUses;
  limits: RequestLimits;
  clock: Clock;
}

export interface AuthenticateOptions {
  /** The configuration's token; null on loopback only. */
  adminToken: string | null;
  /** Where people reach the platform; null: as each request says. */
  publicUrl: string | null;
}

/** Tells who shows a token. */
export class TokenDoor {
  readonly #parts: DoorParts;
  readonly #hashes = new TokenHashes();
  readonly #isAdminToken: (given: string) => boolean;

  constructor(parts: DoorParts) {
    this.#parts = parts;
    this.#isAdminToken = parts.adminToken === null ? () => false : tokenComparison(parts.adminToken);
  }

  /**
   * Who a token lets in. A token that is known costs a hash and a look into memory, and no waiting.
   * @throws UnauthenticatedError; TooManyFailuresError
   */
  admit(token: string, credentials: Pick<Credentials, 'address'>): Principal | Promise<Principal> {
    if (looksLikeToken(token)) {
      const principal = this.principalOf(this.#hashes.of(token));
      if (principal !== undefined) return principal;
    }
    // Where nobody has guessed lately nobody is blocked, and the configuration's token may be compared without asking.
    if (!this.#parts.limits.anyFailures && this.#isAdminToken(token)) return CONFIGURED_ADMIN;
    return this.#admitUnknown(token, credentials.address);
  }

  /** Who the token of a hash lets in now; undefined when it is not known, revoked or expired. */
  principalOf(hash: string): Principal | undefined {
    const token = this.#parts.table.find(hash);
    return token && this.#principalOf(token);
  }

  /** What a session is tied to that is opened with a token. */
  voucherOf(token: string): Voucher {
    const hash = hashSecret(token);
    return this.#parts.table.find(hash) ? { kind: 'token', hash } : { kind: 'configured' };
  }

  async #admitUnknown(token: string, address: string): Promise<Principal> {
    const { table, limits } = this.#parts;
    await limits.refuseBlocked(address);
    if (this.#isAdminToken(token)) return CONFIGURED_ADMIN;
    const found = looksLikeToken(token) ? await table.findOrLoad(hashSecret(token)) : undefined;
    const principal = found && this.#principalOf(found);
    if (principal !== undefined) return principal;
    await limits.countFailure(address);
    throw new UnauthenticatedError();
  }

  #principalOf({ id, name, roles, models, requestsPerMinute, expiresAt }: LiveToken): Principal | undefined {
    const { clock, uses } = this.#parts;
    const now = clock.now();
    if (expiresAt !== null && expiresAt <= now) return undefined;
    uses.note(id, now);
    const own = requestsPerMinute === null ? {} : { requestsPerMinute };
    return { name: `token:${name}`, roles, models, ...own };
  }
}

/**
 * Tells who is asking: by a token, by a browser's session, or, where no admin token is set (loopback, development), by being on this machine. What is shown must be good:
 * a wrong token is refused on loopback too, so that what works in development works elsewhere.
 */
export function createAuthenticate(
  door: TokenDoor,
  sessions: SessionDesk,
  { adminToken, publicUrl }: AuthenticateOptions,
): Authenticate {
  return (credentials) => {
    const { authorization } = credentials;
    if (authorization !== undefined) {
      const token = bearerOf(authorization);
      if (token === undefined) throw new UnauthenticatedError();
      return door.admit(token, credentials);
    }
    const { cookie, host } = credentials;
    const value = cookieValue(cookie, { name: SESSION_COOKIE, host });
    if (value !== undefined) return admitSession(sessions, value, { credentials, adminToken, publicUrl });
    if (adminToken === null) return authenticateLocal(credentials);
    throw new UnauthenticatedError();
  };
}

interface SessionRequest extends AuthenticateOptions {
  credentials: Credentials;
}

async function admitSession(
  sessions: SessionDesk,
  value: string,
  { credentials, adminToken, publicUrl }: SessionRequest,
): Promise<Principal> {
  const session = await sessions.find(value);
  if (session === undefined) {
    // In development a cookie that has ended leaves the browser what it is without one.
    if (adminToken === null) return authenticateLocal(credentials);
    throw new UnauthenticatedError();
  }
  refuseCrossSite(credentials, publicUrl);
  return session.principal;
}

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser sends the session's cookie along with whatever page asks. SameSite=Strict keeps it from other sites; this also keeps out other ports and subdomains of ours,
 * and browsers that do not know that word: a change must say that it comes from a page of this very host (OWASP, Cross-Site Request Forgery Prevention: verifying origin).
 * @throws CrossSiteRequestError
 */
export function refuseCrossSite(
  { method, origin, host, fetchSite }: Pick<Credentials, 'method' | 'origin' | 'host' | 'fetchSite'>,
  publicUrl: string | null,
): void {
  if (READING.has(method)) return;
  if (fetchSite !== undefined && fetchSite !== 'same-origin') throw new CrossSiteRequestError();
  if (origin === undefined || !URL.canParse(origin)) throw new CrossSiteRequestError();
  const given = new URL(origin);
  const own = publicUrl === null ? given.host === host : given.origin === new URL(publicUrl).origin;
  if (!own) throw new CrossSiteRequestError();
}
