import { join } from 'node:path';
import { TOKENS_CHANGED_CHANNEL, listLiveTokens, recordTokenUse, type Database } from '@perennial/storage';
import type { Config } from '../config/config.ts';
import { CONFIGURED_ADMIN, type Authenticate } from '../http/authentication.ts';
import type { PlatformParts } from '../platform/parts.ts';
import { TokenDoor, createAuthenticate } from './authenticate.ts';
import { OpenIdSignIn } from './openid-sign-in.ts';
import { RequestLimits } from './request-limits.ts';
import { SessionDesk } from './session-desk.ts';
import { TokenTable, type TokenTableOptions } from './token-table.ts';
import { TokenUses } from './token-uses.ts';

/** What tells who is asking, and lets people say so. */
export interface Access {
  authenticate: Authenticate;
  limits: RequestLimits;
  table: TokenTable;
  door: TokenDoor;
  sessions: SessionDesk;
  /** Null: not set up. */
  openId: OpenIdSignIn | null;
  publicUrl: string | null;
}

type AccessConfig = Pick<
  Config,
  'adminToken' | 'accessFolder' | 'requestsPerMinute' | 'openId' | 'publicUrl'
>;

/** Puts tokens, sessions and limits together. @throws DatabaseUnavailableError where neither the database nor a snapshot has the tokens */
export async function openAccess(
  { adminToken, accessFolder, requestsPerMinute, openId, publicUrl }: AccessConfig,
  { database, clock, closers, logger }: Pick<PlatformParts, 'database' | 'clock' | 'closers' | 'logger'>,
): Promise<Access> {
  const onProblem = (error: unknown) => logger.warn({ err: error }, 'tokens');
  const table = await TokenTable.open({
    snapshotFile: join(accessFolder, 'tokens.json'),
    loadTokens: () => listLiveTokens(database.orm, clock.now()),
    subscribe: databaseAnnouncements(database),
    onProblem,
  });
  closers.add('token table', () => table.close());
  const uses = new TokenUses({ record: (seen) => recordTokenUse(database.orm, seen), onProblem });
  closers.add('token uses', () => uses.close());
  const limits = new RequestLimits({ requestsPerMinute });
  const door = new TokenDoor({ adminToken, table, uses, limits, clock });
  const sessions = new SessionDesk({
    database,
    clock,
    principalOfToken: (hash) => door.principalOf(hash),
    configured: adminToken === null ? null : { token: adminToken, principal: CONFIGURED_ADMIN },
  });
  const signIn = openId === null ? null : new OpenIdSignIn(openId, logger);
  const authenticate = createAuthenticate(door, sessions, { adminToken, publicUrl });
  return { authenticate, limits, table, door, sessions, openId: signIn, publicUrl };
}

/** Changes announced while the connection was lost are never repeated, so every return of the connection counts as one. */
function databaseAnnouncements(database: Database): TokenTableOptions['subscribe'] {
  return async (handler) => {
    const listener = await database.listen(TOKENS_CHANGED_CHANNEL, handler, handler);
    return () => listener.stop();
  };
}
