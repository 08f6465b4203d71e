import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FIRST_AUDIT_HASH } from '@perennial/contract';
import { auditEntries, models } from '../database/schema.ts';
import { transaction } from '../database/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { verifyAudit } from './audit-verification.ts';
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

  it('holds no secret that somebody wrote into it, and can be verified all the same', async () => {
    const token = `perennial_${'x'.repeat(43)}`;
    await transaction(test.database, async (tx) =>
      recordChange(
        tx,
        change(`token:${token}`, {
          by: token,
          reason: `with ${token} and \0`,
          details: { secret: 'hunter2', at: new Date(0), nested: [token, undefined, 1e21], gone: undefined },
          origin: token,
        }),
      ),
    );
    const [row] = await entries();
    expect(JSON.stringify(row)).not.toMatch(/xxxx|hunter2/);
    expect(row?.details).toEqual({
      secret: '[redacted]',
      at: '1970-01-01T00:00:00.000Z',
      nested: ['[redacted]', null, 1e21],
    });
    expect(await verifyAudit(test.database)).toMatchObject({ entries: 1, valid: true });
  });

  it('takes more changes than one statement has room for', async () => {
    await transaction(test.database, async (tx) => {
      for (let i = 0; i < 7_000; i++) recordChange(tx, change(`model:m${i}`));
    });
    expect(await verifyAudit(test.database)).toMatchObject({ entries: 7_000, valid: true });
  });
});

describe('transactions that meet on the chain', () => {
  const ROWS = ['one', 'two', 'three', 'four'];

  it('change the same rows and never wait for each other in a circle', async () => {
    const busy = await createTestDatabase({ maxConnections: 10 });
    try {
      await busy.database
        .sql`insert into models (name, created_at, latest_version) select unnest(${ROWS}::text[]), now(), 0`;
      const work = (i: number) =>
        // Each once: what collides fails the test instead of being tried again.
        transaction(
          busy.database,
          async (tx) => {
            // Told of first, in the middle and last: the chain's lock is taken at the end all the same.
            recordChange(tx, change(`model:${i}`));
            for (const name of new Set([ROWS[i % 4], ROWS[(i + 1) % 4]].toSorted())) {
              await tx
                .update(models)
                .set({ latestVersion: sql`${models.latestVersion} + 1` })
                .where(eq(models.name, name ?? ''));
              recordChange(tx, change(`model:${name}`));
            }
            await tx.transaction(async (inner) => recordChange(inner, change('model:nested')));
          },
          { attempts: 1 },
        );
      await Promise.all(Array.from({ length: 200 }, (_, i) => work(i)));
      expect(await verifyAudit(busy.database)).toMatchObject({ entries: 800, valid: true });
      const counted = await busy.database.sql<{ sum: string }[]>`select sum(latest_version) from models`;
      expect(counted).toEqual([{ sum: '400' }]);
    } finally {
      await busy.drop();
    }
  });

  it('are run again when they see the chain as it was before another went ahead', async () => {
    let begun = 0;
    const serializable = () =>
      transaction(
        test.database,
        async (tx) => {
          begun++;
          await tx.select().from(models);
          recordChange(tx, change('model:one'));
          // All have read before any commits, so all but one see an end of the chain that is no longer it.
          if (begun === 4) meet();
          await met;
        },
        { isolationLevel: 'serializable', attempts: 50 },
      );
    let meet = () => {};
    const met = new Promise<void>((resolve) => (meet = resolve));
    await Promise.all([serializable(), serializable(), serializable(), serializable()]);
    expect(begun).toBeGreaterThan(4);
    expect(await verifyAudit(test.database)).toMatchObject({ entries: 4, valid: true });
  });

  it('leave no gap where one of them fails', async () => {
    const work = (i: number) =>
      transaction(test.database, async (tx) => {
        recordChange(tx, change(`model:m${i}`));
        if (i % 3 === 0) await tx.execute(sql`select 1 / 0`);
      });
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => work(i)));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    expect(await verifyAudit(test.database)).toMatchObject({ entries: 20, valid: true });
  });
});
