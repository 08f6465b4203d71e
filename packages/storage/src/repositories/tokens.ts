import { and, desc, eq, isNull, lt, lte, or, sql } from 'drizzle-orm';
import {
  NotFoundError,
  formatId,
  type Page,
  type PageQuery,
  type Role,
  type Token,
} from '@perennial/contract';
import { tokens } from '../database/schema.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

/** Heard by every server whenever a token is made or revoked; the payload is empty. */
export const TOKENS_CHANGED_CHANNEL = 'tokens_changed';

export interface NewToken {
  id: string;
  name: string;
  /** SHA-256 of the token, in hexadecimal. */
  hash: string;
  roles: Role[];
  /** Null: every model. */
  models: string[] | null;
  requestsPerMinute: number | null;
  createdBy: string;
  createdAt: Date;
  expiresAt: Date | null;
}

/**
 * Keeps a token and tells every server. An expired one gives its name up.
 * @throws UniqueViolationError when a live one has the name
 */
export async function insertToken(tx: Executor, token: NewToken): Promise<Token> {
  await tx
    .update(tokens)
    .set({ revokedAt: token.createdAt })
    .where(
      and(eq(tokens.name, token.name), isNull(tokens.revokedAt), lte(tokens.expiresAt, token.createdAt)),
    );
  const [row] = await tx.insert(tokens).values(token).returning();
  if (!row) throw new Error('insert … returning gave no row');
  await announceTokens(tx);
  return toToken(row);
}

/** Tokens, newest first, the revoked and expired ones too. */
export async function listTokens(db: Executor, query: PageQuery): Promise<Page<Token>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(tokens)
    .where(before === undefined ? undefined : lt(tokens.id, before))
    .orderBy(desc(tokens.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toToken, key: (row) => row.id });
}

/**
 * Ends a token and tells every server. One that was revoked before stays as it was.
 * @returns the token, and whether this call revoked it
 * @throws NotFoundError
 */
export async function revokeToken(
  tx: Executor,
  id: string,
  at: Date,
): Promise<{ token: Token; revoked: boolean }> {
  const [revoked] = await tx
    .update(tokens)
    .set({ revokedAt: at })
    .where(and(eq(tokens.id, id), isNull(tokens.revokedAt)))
    .returning();
  if (revoked) {
    await announceTokens(tx);
    return { token: toToken(revoked), revoked: true };
  }
  const [row] = await tx.select().from(tokens).where(eq(tokens.id, id));
  if (!row) throw new NotFoundError('token', formatId('token', id));
  return { token: toToken(row), revoked: false };
}

/** A token as a server needs it to tell who is asking. */
export interface LiveToken {
  id: string;
  name: string;
  hash: string;
  roles: Role[];
  models: string[] | null;
  requestsPerMinute: number | null;
  expiresAt: Date | null;
}

/** Every token that is not revoked and has not expired. */
export async function listLiveTokens(db: Executor, now: Date): Promise<LiveToken[]> {
  const { id, name, hash, roles, models, requestsPerMinute, expiresAt } = tokens;
  return db
    .select({ id, name, hash, roles, models, requestsPerMinute, expiresAt })
    .from(tokens)
    .where(and(isNull(tokens.revokedAt), or(isNull(expiresAt), sql`${expiresAt} > ${now}`)));
}

/** Writes down when tokens were last used; an earlier use never overwrites a later one. */
export async function recordTokenUse(db: Executor, uses: readonly { id: string; at: Date }[]): Promise<void> {
  for (const { id, at } of uses) {
    const older = or(isNull(tokens.lastUsedAt), lt(tokens.lastUsedAt, at));
    await db
      .update(tokens)
      .set({ lastUsedAt: at })
      .where(and(eq(tokens.id, id), older));
  }
}

async function announceTokens(tx: Executor): Promise<void> {
  await tx.execute(sql`select pg_notify(${TOKENS_CHANGED_CHANNEL}, '')`);
}

function toToken(row: typeof tokens.$inferSelect): Token {
  return {
    id: formatId('token', row.id),
    name: row.name,
    roles: row.roles,
    models: row.models,
    requestsPerMinute: row.requestsPerMinute,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  };
}
