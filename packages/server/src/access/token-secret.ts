import { hash, randomBytes } from 'node:crypto';

/** What every token begins with, so that people and secret scanners can tell one. */
export const TOKEN_PREFIX = 'perennial_';

const TOKEN = /^perennial_[A-Za-z0-9_-]{43}$/;

/** A new token: the prefix and 256 random bits as 43 characters of base64url. */
export function newTokenSecret(): string {
  return `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;
}

/** Whether a text could be a token of ours: only then is it worth asking the database. */
export function looksLikeToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * What is kept of a token, or of a session's cookie: SHA-256 in hexadecimal. Neither salt nor stretching is needed, as both are random and too long to guess; and being
 * found by their hash they are compared by it, whose timing tells nothing about the secret.
 */
export function hashSecret(secret: string): string {
  return hash('sha256', secret);
}

/** Tokens whose hashes are at hand: as many callers as are at work at one time, as a rule. */
const KEPT_HASHES = 256;

/** The hashes of the tokens that came last: one that comes with every request of a caller is hashed once. It is of no use to who cannot read this process's memory, where each request's token is anyway. */
export class TokenHashes {
  readonly #kept = new Map<string, string>();

  /** As `hashSecret`. */
  of(token: string): string {
    const kept = this.#kept.get(token);
    if (kept !== undefined) return kept;
    const hashed = hashSecret(token);
    if (this.#kept.size === KEPT_HASHES) this.#kept.clear();
    this.#kept.set(token, hashed);
    return hashed;
  }
}
