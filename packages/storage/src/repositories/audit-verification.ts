import { FIRST_AUDIT_HASH, type AuditEntry, type AuditVerification, type Digest } from '@perennial/contract';
import { hashOfEntry } from '../database/audit-chain.ts';
import type { Database } from '../database/connection.ts';

/** Entries that are in memory at a time. */
const PAGE = 1_000;

/** Where the walk along the chain is. */
interface Place {
  sequence: number;
  hash: Digest;
  /** Whether the entry that was asked for has been passed. */
  headFound: boolean;
}

/** An entry as the database says it, whatever somebody made of it; the sequence may be any `bigint`. */
type StoredEntry = Omit<AuditEntry, 'sequence'> & { sequence: string };

/**
 * Walks the chain of audit entries from the first on and says where it is first not as it was written: content or hash changed, an entry missing, put in, or in
 * another's place. An end that was cut off, or a chain that was written anew as a whole, shows only against a hash that was written down elsewhere.
 * @param head the hash of an entry, as an earlier verification gave it
 */
export async function verifyAudit(
  { sql }: Pick<Database, 'sql'>,
  { head }: { head?: Digest | undefined } = {},
): Promise<AuditVerification> {
  let place: Place = {
    sequence: 0,
    hash: FIRST_AUDIT_HASH,
    headFound: head === undefined || head === FIRST_AUDIT_HASH,
  };
  for (let after: string | null = null; ;) {
    const entries: StoredEntry[] = await entriesAfter(sql, after);
    for (const entry of entries) {
      const problem = problemOf(entry, place);
      if (problem !== undefined) return broken(place, problem);
      const headFound = place.headFound || entry.hash === head;
      place = { sequence: place.sequence + 1, hash: entry.hash, headFound };
    }
    const last = entries.at(-1);
    if (last === undefined) break;
    after = last.sequence;
  }
  if (!place.headFound) return broken(place, `no entry has the hash ${head}: ${HEAD_LOST}`);
  return { entries: place.sequence, valid: true, head: place.hash, firstProblem: null };
}

const HEAD_LOST = 'the end was cut off, or the chain was written anew';

/** The time as text in the form it was hashed in, so that no time that a `Date` cannot hold ends the walk. */
async function entriesAfter(sql: Database['sql'], after: string | null): Promise<StoredEntry[]> {
  return sql<StoredEntry[]>`
    select sequence, to_char("at" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "at", "by", action, subject, reason, details, origin,
      previous_hash as "previousHash", hash
    from audit_entries where ${after}::bigint is null or sequence > ${after}::bigint order by sequence limit ${PAGE}`;
}

function problemOf(entry: StoredEntry, { sequence, hash: previous }: Place): string | undefined {
  const expected = sequence + 1;
  if (BigInt(entry.sequence) < expected) return 'an entry was put in before it';
  if (entry.sequence !== String(expected)) return 'it is missing';
  if (entry.previousHash !== previous) return 'it does not follow the entry before it';
  const { hash, ...content } = entry;
  const same = hashOfEntry({ ...content, sequence: expected }) === hash;
  return same ? undefined : 'it is not what its hash was taken of';
}

/** Counted and headed by what is whole: what comes after proves nothing. */
function broken({ sequence, hash }: Place, problem: string): AuditVerification {
  return { entries: sequence, valid: false, head: hash, firstProblem: { sequence: sequence + 1, problem } };
}
