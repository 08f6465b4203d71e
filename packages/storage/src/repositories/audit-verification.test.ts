import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { AUDIT_ACTIONS, FIRST_AUDIT_HASH, type AuditEntry } from '@perennial/contract';
import { hashOfEntry } from '../database/audit-chain.ts';
import { transaction } from '../database/transaction.ts';
import { auditEntries } from '../database/schema.ts';
import type { Sql, SqlValue } from '../database/sql.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { verifyAudit } from './audit-verification.ts';
import { listAudit, recordChange, type AuditDraft, type AuditFilter } from './audit.ts';

const ENTRIES = 12;

let test: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  test = await createTestDatabase();
  ({ sql } = test.database);
  // What a superuser can do in spite of the triggers, verification has to find.
  await sql`alter table audit_entries disable trigger audit_entries_append_only`;
});
afterAll(() => test.drop());

beforeEach(async () => {
  await sql`truncate audit_entries`;
  await transaction(test.database, async (tx) => {
    for (let i = 1; i <= ENTRIES; i++) {
      recordChange(tx, {
        at: new Date(Date.UTC(2026, 4, i)),
        by: 'user:ada@example.org',
        action: 'version.tagged',
        subject: `version:flight-delay@${i}`,
        reason: i % 2 === 0 ? null : 'for the record',
        details: { tag: 'reviewed', nested: { list: [1, 2.5, 1e21, -0, 'ä\u2028'] }, '10': true, '9': false },
        origin: '203.0.113.7 req_1',
      });
    }
  });
});

const verify = (head?: string) => verifyAudit(test.database, { head });
const problem = async (head?: string) => (await verify(head)).firstProblem;
const hashAt = async (sequence: number) => {
  const [row] = await sql<{ hash: string }[]>`select hash from audit_entries where sequence = ${sequence}`;
  return row?.hash ?? '';
};

describe('verifying the audit', () => {
  it('finds a chain whole, and tells the hash of its end', async () => {
    expect(await verify()).toEqual({
      entries: ENTRIES,
      valid: true,
      head: await hashAt(ENTRIES),
      firstProblem: null,
    });
    await sql`truncate audit_entries`;
    expect(await verify()).toEqual({ entries: 0, valid: true, head: FIRST_AUDIT_HASH, firstProblem: null });
  });

  it('finds any change of any field of any entry', async () => {
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: ENTRIES }),
        tampering(),
        async (sequence, { column, value }) => {
          const undone = new Error('undone');
          const tampered = sql.begin(async (tx) => {
            const given = column === 'details' ? tx.json(value) : (value as SqlValue);
            const { count } = await tx`
            update audit_entries set ${tx(column)} = ${given}
            where sequence = ${sequence} and ${tx(column)} is distinct from ${given}`;
            changes += count;
            const { valid, firstProblem } = await verifyAudit({ sql: tx });
            expect({ valid, found: firstProblem !== null }).toEqual({
              valid: count === 0,
              found: count === 1,
            });
            throw undone;
          });
          await expect(tampered).rejects.toBe(undone);
        },
      ),
      { numRuns: 200 },
    );
    expect(changes).toBeGreaterThan(150);
  });

  it('finds an entry that is missing', async () => {
    await sql`delete from audit_entries where sequence = 5`;
    expect(await problem()).toEqual({ sequence: 5, problem: 'it is missing' });
    await sql`delete from audit_entries where sequence = 1`;
    expect(await verify()).toMatchObject({
      entries: 0,
      head: FIRST_AUDIT_HASH,
      firstProblem: { sequence: 1 },
    });
  });

  it('finds that the entries after a missing one were moved up', async () => {
    await sql`delete from audit_entries where sequence = 5`;
    await sql`update audit_entries set sequence = sequence + 1000 where sequence > 5`;
    await sql`update audit_entries set sequence = sequence - 1001 where sequence > 5`;
    expect(await problem()).toEqual({ sequence: 5, problem: 'it does not follow the entry before it' });
  });

  it('finds two entries that changed places', async () => {
    await sql`update audit_entries set sequence = -3 where sequence = 3`;
    await sql`update audit_entries set sequence = 3 where sequence = 4`;
    await sql`update audit_entries set sequence = 4 where sequence = -3`;
    expect(await problem()).toEqual({ sequence: 3, problem: 'it does not follow the entry before it' });
  });

  it('finds an entry that was put in, whatever hash it has', async () => {
    const forged = await forgery(0, FIRST_AUDIT_HASH);
    await insert(forged);
    expect(await problem()).toEqual({ sequence: 1, problem: 'an entry was put in before it' });
    await sql`delete from audit_entries where sequence = 0`;
    await insert(await forgery(ENTRIES + 1, await hashAt(ENTRIES - 1)));
    expect(await problem()).toMatchObject({ sequence: ENTRIES + 1 });
  });

  it('finds that one entry was written anew with a right hash, since the next does not follow it', async () => {
    await sql`delete from audit_entries where sequence = 7`;
    await insert(await forgery(7, await hashAt(6)));
    expect(await problem()).toEqual({ sequence: 8, problem: 'it does not follow the entry before it' });
  });

  it('finds an end that was cut off, or written anew, by a hash that was written down elsewhere', async () => {
    const head = await hashAt(ENTRIES);
    expect(await problem(head)).toBeNull();
    expect(await problem(await hashAt(3))).toBeNull();
    expect(await problem(FIRST_AUDIT_HASH)).toBeNull();
    await sql`delete from audit_entries where sequence >= ${ENTRIES}`;
    expect(await problem()).toBeNull();
    expect(await problem(head)).toMatchObject({ sequence: ENTRIES });
    await insert(await forgery(ENTRIES, await hashAt(ENTRIES - 1)));
    expect(await problem()).toBeNull();
    expect((await verify(head)).valid).toBe(false);
  });

  it('walks further than one page', async () => {
    await transaction(test.database, async (tx) => {
      for (let i = 0; i < 2_500; i++) recordChange(tx, { ...plain, subject: `model:m${i}` });
    });
    expect(await verify()).toMatchObject({ entries: ENTRIES + 2_500, valid: true });
    await sql`update audit_entries set reason = 'another' where sequence = 2222`;
    expect(await problem()).toMatchObject({ sequence: 2222 });
  });
});

describe('listing the audit', () => {
  it('shows the newest first, page by page', async () => {
    const first = await listAudit(test.database.orm, { limit: 5 });
    expect(first.items.map(({ sequence }) => sequence)).toEqual([12, 11, 10, 9, 8]);
    const next = await listAudit(test.database.orm, { limit: 50, cursor: first.nextCursor ?? '' });
    expect(next.items.map(({ sequence }) => sequence)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(next.nextCursor).toBeNull();
    await expect(listAudit(test.database.orm, { limit: 5, cursor: 'bm90' })).rejects.toThrow('cursor');
  });

  it('is held to a subject, a person, an action and a time', async () => {
    await transaction(test.database, async (tx) => {
      recordChange(tx, { ...plain, subject: 'model:a', by: 'local', at: new Date('2027-01-01') });
      recordChange(tx, { ...plain, subject: 'model:b', action: 'model.created', at: new Date('2027-01-02') });
    });
    const sequences = async (filter: Partial<AuditFilter>) =>
      (await listAudit(test.database.orm, { limit: 50, ...filter })).items.map(({ sequence }) => sequence);
    expect(await sequences({ subject: 'version:flight-delay@3' })).toEqual([3]);
    expect(await sequences({ by: 'local' })).toEqual([13]);
    expect(await sequences({ action: 'model.created' })).toEqual([14]);
    expect(await sequences({ from: new Date('2027-01-01') })).toEqual([14, 13]);
    expect(await sequences({ from: new Date('2026-05-02'), to: new Date('2026-05-04') })).toEqual([3, 2]);
  });
});

const plain = {
  at: new Date('2026-06-01'),
  by: 'user:ada@example.org',
  action: 'model.changed',
  subject: 'model:a',
  origin: 'worker',
} as const satisfies AuditDraft;

/** An entry that somebody made up, with the hash that it would have. */
async function forgery(sequence: number, previousHash: string): Promise<AuditEntry> {
  const [template] = (await listAudit(test.database.orm, { limit: 1 })).items;
  if (template === undefined) throw new Error('there is no entry to forge');
  const { hash: _, ...rest } = template;
  const content = { ...rest, sequence, previousHash, by: 'user:mallory' };
  return { ...content, hash: hashOfEntry(content) };
}

async function insert(entry: AuditEntry): Promise<void> {
  await test.database.orm.insert(auditEntries).values({ ...entry, at: new Date(entry.at) });
}

/** Another value for one field, of those that its column takes. */
function tampering(): fc.Arbitrary<{ column: string; value: unknown }> {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(isKept);
  const digest = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `sha256:${Buffer.from(bytes).toString('hex')}`);
  const column = (name: string, value: fc.Arbitrary<unknown>) =>
    fc.record({ column: fc.constant(name), value });
  const time = fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
  return fc.oneof(
    column('by', text),
    column('subject', text),
    column('origin', text),
    column('reason', fc.option(text)),
    column('action', fc.constantFrom(...AUDIT_ACTIONS)),
    column('hash', digest),
    column('previous_hash', digest),
    column(
      'sequence',
      fc.oneof(fc.bigInt(-(2n ** 63n), 0n), fc.bigInt(BigInt(ENTRIES) + 1n, 2n ** 63n - 1n)),
    ),
    column('at', fc.oneof(time, fc.constantFrom('infinity', '-infinity', '0044-03-15 BC'))),
    column(
      'details',
      fc.jsonValue().filter((value) => isKept(JSON.stringify(value))),
    ),
  );
}

/** What PostgreSQL takes as text or JSON. */
function isKept(text: string): boolean {
  return !/[\0\p{Surrogate}]|\\u(0000|d[89a-f])/iu.test(text);
}
