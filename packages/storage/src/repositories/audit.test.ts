import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FIRST_AUDIT_HASH } from '@perennial/contract';
import { auditEntries } from '../database/schema.ts';
import { transaction } from '../database/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { recordChange, type AuditDraft } from './audit.ts';

let test: TestDatabase;
beforeEach(async () => {
  test = await createTestDatabase();
});
afterEach(() => test.drop());

const change = (subject: string, more: Partial<AuditDraft> = {}): AuditDraft => ({
  at: new Date('2026-05-03T14:03:00.123Z'),
  by: 'user:ada@example.org',
  action: 'model.changed',
  subject,
  reason: 'a better description',
  details: { description: 'late flights' },
  origin: '203.0.113.7 req_1',
  ...more,
});
const entries = () => test.database.orm.select().from(auditEntries).orderBy(auditEntries.sequence);
const subjects = async () => (await entries()).map(({ subject }) => subject);

describe('recording a change', () => {
  it('chains the changes of each transaction behind those of the one before, in the order they were told', async () => {
    await transaction(test.database, async (tx) => {
      recordChange(tx, change('model:one'));
      recordChange(tx, change('model:two', { reason: null }));
    });
    await transaction(test.database, async (tx) => recordChange(tx, change('model:three')));
    const rows = await entries();
    expect(rows.map(({ sequence, subject }) => [sequence, subject])).toEqual([
      [1, 'model:one'],
      [2, 'model:two'],
      [3, 'model:three'],
    ]);
    expect(rows.map(({ previousHash }) => previousHash)).toEqual([
      FIRST_AUDIT_HASH,
      rows[0]?.hash,
      rows[1]?.hash,
    ]);
    expect(rows[0]).toMatchObject({
      at: new Date('2026-05-03T14:03:00.123Z'),
      by: 'user:ada@example.org',
      reason: 'a better description',
      details: { description: 'late flights' },
      origin: '203.0.113.7 req_1',
    });
  });

  it('forgets what a failed transaction or savepoint told of, and keeps what a savepoint that held told of', async () => {
    const failed = transaction(test.database, async (tx) => {
      recordChange(tx, change('model:lost'));
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await transaction(test.database, async (tx) => {
      recordChange(tx, change('model:before'));
      const undone = tx.transaction(async (inner) => {
        recordChange(inner, change('model:undone'));
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      await tx.transaction((inner) =>
        inner.transaction(async (innermost) => recordChange(innermost, change('model:nested'))),
      );
      recordChange(tx, change('model:after'));
    });
    expect(await subjects()).toEqual(['model:before', 'model:nested', 'model:after']);
  });

  it('is an error where nothing would put it on the chain', async () => {
    expect(() => recordChange(test.database.orm, change('model:one'))).toThrow('outside a transaction()');
    const plain = test.database.orm.transaction(async (tx) => recordChange(tx, change('model:one')));
    await expect(plain).rejects.toThrow('outside a transaction()');
    const [late] = await Promise.all([transaction(test.database, async (tx) => [tx] as const)]);
    expect(() => recordChange(late[0], change('model:one'))).toThrow('outside a transaction()');
    expect(await entries()).toEqual([]);
  });
});
