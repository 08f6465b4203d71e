import {
  ConflictError,
  InvalidRequestError,
  parseId,
  type Clock,
  type CreatedToken,
  type IdGenerator,
  type Token,
  type TokenRequest,
} from '@perennial/contract';
import {
  UniqueViolationError,
  insertToken,
  recordChange,
  revokeToken,
  transaction,
  type Database,
} from '@perennial/storage';
import { hashSecret, newTokenSecret } from './token-secret.ts';
import type { TokenTable } from './token-table.ts';

export interface TokenDeskParts {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  table: TokenTable;
}

/** Who asks for a change, and from where. */
export interface Asker {
  by: string;
  origin: string;
}

/** The name of the configuration's token, which none in the database may take: events and audit would confuse the two. */
const RESERVED_NAME = 'admin';

/**
 * Makes a token; its secret is in the answer and nowhere else.
 * @throws ConflictError when a live token has the name; InvalidRequestError when it would be expired already, or takes the reserved name
 */
export async function createToken(
  { database, clock, ids, table }: TokenDeskParts,
  request: TokenRequest,
  { by, origin }: Asker,
): Promise<CreatedToken> {
  const { name, roles, models = null, requestsPerMinute = null } = request;
  const createdAt = clock.now();
  const expiresAt = request.expiresAt === undefined ? null : new Date(request.expiresAt);
  checkRequest(name, expiresAt, createdAt);
  const secret = newTokenSecret();
  const id = ids.next();
  const wanted = { id, name, hash: hashSecret(secret), roles, models, requestsPerMinute };
  const token = await transaction(database, async (tx) => {
    const made = await insertToken(tx, { ...wanted, createdBy: by, createdAt, expiresAt });
    const details = { name, roles, models, requestsPerMinute, expiresAt: made.expiresAt };
    const subject = `token:${made.id}`;
    recordChange(tx, { at: createdAt, by, action: 'token.created', subject, details, origin });
    return made;
  }).catch((error: unknown) => rethrowTaken(error, name));
  // The token is made and its secret known only here: a table that could not be loaded is loaded with the next poll.
  await table.refresh().catch(() => undefined);
  return { ...token, secret };
}

/**
 * Revokes a token: from when this resolves this server refuses it, and every other within a second. Revoking it again changes nothing.
 * @throws NotFoundError
 */
export async function revokeTokenById(
  { database, clock, table }: TokenDeskParts,
  token: string,
  { by, origin }: Asker,
): Promise<Token> {
  const at = clock.now();
  const revoked = await transaction(database, async (tx) => {
    const outcome = await revokeToken(tx, parseId('token', token), at);
    const details = { name: outcome.token.name };
    const change = { at, by, action: 'token.revoked', subject: `token:${token}`, details, origin } as const;
    if (outcome.revoked) recordChange(tx, change);
    return outcome.token;
  });
  await table.refresh();
  return revoked;
}

function checkRequest(name: string, expiresAt: Date | null, now: Date): void {
  if (name === RESERVED_NAME) {
    const message = `is the name of the configuration's own token`;
    throw new InvalidRequestError(`The name '${name}' is taken.`, [{ path: 'name', message }]);
  }
  if (expiresAt !== null && expiresAt <= now) {
    const message = `must be later than now, ${now.toISOString()}`;
    throw new InvalidRequestError('The token would have expired already.', [{ path: 'expiresAt', message }]);
  }
}

function rethrowTaken(error: unknown, name: string): never {
  if (!(error instanceof UniqueViolationError)) throw error;
  throw new ConflictError(
    `There is a token named '${name}' already: revoke it first, or choose another name.`,
    {
      cause: error,
    },
  );
}
