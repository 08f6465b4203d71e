import { desc, sql } from 'drizzle-orm';
import { FIRST_AUDIT_HASH, canonicalJson, type AuditEntry, type Digest } from '@perennial/contract';
import { digestOfJson } from '../artifacts/digest.ts';
import { TransactionConflictError, UniqueViolationError } from '../errors.ts';
import type { AuditDraft } from './audit-buffer.ts';
import type { Transaction } from './orm.ts';
import { auditEntries } from './schema.ts';
import { withoutSecrets } from './secret-text.ts';

/** Key of the advisory lock that one appending transaction at a time holds; any constant that nothing else of ours uses. */
const CHAIN_LOCK = 7_300_214_002;

/** Ten values a row, of which PostgreSQL takes 65,535 a statement. */
const ROWS_A_STATEMENT = 1_000;

/**
 * Chains the changes of a transaction behind the last committed entry. To be called when nothing but the commit is left to do: the chain's lock is held until
 * then, and a transaction that waited for a row while it held it could wait for one that waits for the chain.
 * @throws TransactionConflictError when the transaction sees an older state of the chain, as serializable ones do
 */
export async function appendToChain(tx: Transaction, drafts: readonly AuditDraft[]): Promise<void> {
  if (drafts.length === 0) return;
  await tx.execute(sql`select pg_advisory_xact_lock(${CHAIN_LOCK})`);
  const entries = chainAfter(await lastEntry(tx), drafts);
  for (let i = 0; i < entries.length; i += ROWS_A_STATEMENT) {
    const rows = entries
      .slice(i, i + ROWS_A_STATEMENT)
      .map((entry) => ({ ...entry, at: new Date(entry.at) }));
    await tx.insert(auditEntries).values(rows).catch(rethrowStaleChain);
  }
}

/** Where a chain ends. */
interface ChainEnd {
  sequence: number;
  hash: Digest;
}

async function lastEntry(tx: Transaction): Promise<ChainEnd> {
  const [last] = await tx
    .select({ sequence: auditEntries.sequence, hash: auditEntries.hash })
    .from(auditEntries)
    .orderBy(desc(auditEntries.sequence))
    .limit(1);
  return last ?? { sequence: 0, hash: FIRST_AUDIT_HASH };
}

function chainAfter(end: ChainEnd, drafts: readonly AuditDraft[]): AuditEntry[] {
  let { sequence, hash } = end;
  return drafts.map((draft) => {
    const unhashed = { ...asRecorded(draft), sequence: ++sequence, previousHash: hash };
    hash = hashOfEntry(unhashed);
    return { ...unhashed, hash };
  });
}

/** SHA-256 of the canonical JSON of an entry without its hash. */
export function hashOfEntry(entry: Omit<AuditEntry, 'hash'>): Digest {
  return digestOfJson(entry);
}

/** As it can be read back: a hash over what the database would change on the way could never be checked. */
function asRecorded(draft: AuditDraft): Omit<AuditEntry, 'sequence' | 'previousHash' | 'hash'> {
  const { at, by, action, subject, reason, details, origin } = draft;
  return {
    at: at.toISOString(),
    by: withoutSecrets(by),
    action,
    subject: withoutSecrets(subject),
    reason: reason == null ? null : withoutSecrets(reason),
    details: withoutSecrets(JSON.parse(canonicalJson(details ?? {})) as Record<string, unknown>),
    origin: withoutSecrets(origin),
  };
}

/** The lock keeps two from taking one place, unless this one reads from before the other had it. */
function rethrowStaleChain(error: unknown): never {
  const stale = error instanceof UniqueViolationError && error.constraint === 'audit_entries_pkey';
  throw stale ? new TransactionConflictError('40001', { cause: error }) : error;
}
