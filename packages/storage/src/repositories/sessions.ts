import { and, eq, gt, isNull, lt } from 'drizzle-orm';
import type { Role } from '@perennial/contract';
import { sessions } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** A browser that is signed in. */
export interface StoredSession {
  /** SHA-256 of the cookie's value, in hexadecimal. */
  hash: string;
  /** As it stands in events and audit. */
  principal: string;
  roles: Role[];
  models: string[] | null;
  /** What ends it when it is revoked: the hash of the token it was opened with; null where an identity provider vouched. */
  tokenHash: string | null;
  openedAt: Date;
  expiresAt: Date;
}

export async function insertSession(tx: Executor, session: StoredSession): Promise<void> {
  await tx.insert(sessions).values(session);
}

/** The session, unless it has ended or expired. */
export async function findSession(db: Executor, hash: string, now: Date): Promise<StoredSession | undefined> {
  const [row] = await db
    .select()
    .from(sessions)
    .where(and(eq(sessions.hash, hash), isNull(sessions.endedAt), gt(sessions.expiresAt, now)));
  return row;
}

/** Ends a session; whether it was open until now. */
export async function endSession(tx: Executor, hash: string, at: Date): Promise<boolean> {
  const ended = await tx
    .update(sessions)
    .set({ endedAt: at })
    .where(and(eq(sessions.hash, hash), isNull(sessions.endedAt)))
    .returning({ hash: sessions.hash });
  return ended.length > 0;
}

/** Forgets the sessions that expired before an instant, of which the audit keeps who opened them. */
export async function deleteExpiredSessions(db: Executor, before: Date): Promise<void> {
  await db.delete(sessions).where(lt(sessions.expiresAt, before));
}
