import { and, desc, eq, gte, lt } from 'drizzle-orm';
import type { AuditAction, AuditEntry, Page, PageQuery } from '@perennial/contract';
import { bufferOf, type AuditDraft } from '../database/audit-buffer.ts';
import { auditEntries } from '../database/schema.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

export type { AuditDraft, Requester } from '../database/audit-buffer.ts';

/**
 * Tells the audit of a change, in the transaction that makes it: both are stored or neither is. Secrets in its texts are blacked out; still, put none there.
 * @throws Error outside `transaction()`, where nothing would put it on the chain
 */
export function recordChange(tx: Executor, draft: AuditDraft): void {
  const drafts = bufferOf(tx);
  if (drafts === undefined)
    throw new Error(`The change ${draft.action} was recorded outside a transaction().`);
  drafts.push(draft);
}

export interface AuditFilter extends PageQuery {
  subject?: string | undefined;
  by?: string | undefined;
  action?: AuditAction | undefined;
  /** The first instant that counts, and the first that does not. */
  from?: Date | undefined;
  to?: Date | undefined;
}

/** Changes, newest first. */
export async function listAudit(db: Executor, query: AuditFilter): Promise<Page<AuditEntry>> {
  const { subject, by, action, from, to } = query;
  const before = decodeCursor(query.cursor, SEQUENCE_KEY);
  const rows = await db
    .select()
    .from(auditEntries)
    .where(
      and(
        subject === undefined ? undefined : eq(auditEntries.subject, subject),
        by === undefined ? undefined : eq(auditEntries.by, by),
        action === undefined ? undefined : eq(auditEntries.action, action),
        from === undefined ? undefined : gte(auditEntries.at, from),
        to === undefined ? undefined : lt(auditEntries.at, to),
        before === undefined ? undefined : lt(auditEntries.sequence, Number(before)),
      ),
    )
    .orderBy(desc(auditEntries.sequence))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toEntry, key: (row) => String(row.sequence) });
}

/** What JavaScript counts exactly. */
const SEQUENCE_KEY = /^[0-9]{1,15}$/;

function toEntry(row: typeof auditEntries.$inferSelect): AuditEntry {
  return { ...row, at: row.at.toISOString() };
}
