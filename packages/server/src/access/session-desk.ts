import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '@perennial/contract';
import {
  deleteExpiredSessions,
  endSession,
  findSession,
  insertSession,
  recordChange,
  transaction,
  type Database,
  type StoredSession,
} from '@perennial/storage';
import type { Principal } from '../http/authentication.ts';
import { hashSecret } from './token-secret.ts';

/** How long a browser stays signed in. */
export const SESSION_SECONDS = 12 * 60 * 60;

/** How long this process believes what it read of a session: that a sign-out elsewhere counts within a second. */
const BELIEVED_MILLISECONDS = 1_000;
const MOST_BELIEVED = 10_000;

/** What vouches for a session, and ends it when it no longer does. */
export type Voucher =
  /** A token of the table, by its hash. */
  | { kind: 'token'; hash: string }
  /** The configuration's token. */
  | { kind: 'configured' }
  /** An identity provider, once. */
  | { kind: 'openid' };

export interface SessionDeskParts {
  database: Database;
  clock: Clock;
  /** Who the token of a hash lets in now; undefined when it is revoked or expired. */
  principalOfToken: (hash: string) => Principal | undefined;
  /** The configuration's token, and who it lets in. */
  configured: { token: string; principal: Principal } | null;
}

export interface OpenSession {
  principal: Principal;
  expiresAt: Date;
}

interface Believed {
  session: StoredSession | undefined;
  until: number;
}

/** Who is signed in by which cookie. */
export class SessionDesk {
  readonly #parts: SessionDeskParts;
  readonly #believed = new Map<string, Believed>();

  constructor(parts: SessionDeskParts) {
    this.#parts = parts;
  }

  /** Signs a browser in. @returns the value of its cookie, which is kept nowhere else */
  async open(
    principal: Principal,
    voucher: Voucher,
    origin: string,
  ): Promise<OpenSession & { value: string }> {
    const { database, clock } = this.#parts;
    const value = randomBytes(32).toString('base64url');
    const openedAt = clock.now();
    const expiresAt = new Date(openedAt.getTime() + SESSION_SECONDS * 1_000);
    const { name, roles, models } = principal;
    await transaction(database, async (tx) => {
      await deleteExpiredSessions(tx, openedAt);
      await insertSession(tx, {
        hash: hashSecret(value),
        principal: name,
        roles: [...roles],
        models: models && [...models],
        tokenHash: this.#mark(voucher, value),
        openedAt,
        expiresAt,
      });
      const details = { by: voucher.kind, expiresAt: expiresAt.toISOString() };
      const subject = `session:${name}`;
      recordChange(tx, { at: openedAt, by: name, action: 'session.opened', subject, details, origin });
    });
    return { principal, expiresAt, value };
  }

  /** Who the cookie's value signs in; undefined when the session has ended, has expired, or what vouched for it no longer does. */
  async find(value: string): Promise<OpenSession | undefined> {
    const session = await this.#read(hashSecret(value));
    if (session === undefined || session.expiresAt <= this.#parts.clock.now()) return undefined;
    const principal = this.#principalOf(session, value);
    return principal && { principal, expiresAt: session.expiresAt };
  }

  /** Signs the browser out: at once here, and on every other server within a second. */
  async close(value: string, by: string, origin: string): Promise<void> {
    const { database, clock } = this.#parts;
    const at = clock.now();
    const hash = hashSecret(value);
    await transaction(database, async (tx) => {
      if (!(await endSession(tx, hash, at))) return;
      recordChange(tx, { at, by, action: 'session.closed', subject: `session:${by}`, origin });
    });
    this.#believed.delete(hash);
  }

  #principalOf(session: StoredSession, value: string): Principal | undefined {
    const { principalOfToken, configured } = this.#parts;
    const { tokenHash } = session;
    if (tokenHash === null) {
      return { name: session.principal, roles: session.roles, models: session.models };
    }
    if (!tokenHash.startsWith(CONFIGURED)) return principalOfToken(tokenHash);
    const current = configured !== null && tokenHash === configuredMark(configured.token, value);
    return current ? configured.principal : undefined;
  }

  #mark(voucher: Voucher, value: string): string | null {
    switch (voucher.kind) {
      case 'token':
        return voucher.hash;
      case 'configured':
        return configuredMark(this.#parts.configured?.token ?? '', value);
      case 'openid':
        return null;
    }
  }

  async #read(hash: string): Promise<StoredSession | undefined> {
    const { database, clock } = this.#parts;
    const now = clock.now().getTime();
    const believed = this.#believed.get(hash);
    if (believed !== undefined && believed.until > now) return believed.session;
    const session = await findSession(database.orm, hash, clock.now());
    // Guessed cookies must not fill the memory.
    if (this.#believed.size >= MOST_BELIEVED) this.#believed.clear();
    this.#believed.set(hash, { session, until: now + BELIEVED_MILLISECONDS });
    return session;
  }
}

const CONFIGURED = 'configured:';

/**
 * Ties a session to the configuration's token as it was, so that another token ends it. That token may be one that a person chose: keyed by the cookie's value, of which
 * the database has no more than a hash, the mark cannot be used to guess it.
 */
function configuredMark(token: string, value: string): string {
  return `${CONFIGURED}${createHmac('sha256', value).update(token).digest('hex')}`;
}
