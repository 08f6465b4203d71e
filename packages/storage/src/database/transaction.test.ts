import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DatabaseAddressError,
  DatabaseError,
  DatabaseUnavailableError,
  TransactionConflictError,
  UniqueViolationError,
} from '../errors.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { connectionOptions, socketUrl, withDatabase } from './address.ts';
import { openDatabase } from './connection.ts';
import { models } from './schema.ts';
import { transaction, type Transaction } from './transaction.ts';

let test: TestDatabase;
beforeEach(async () => {
  test = await createTestDatabase();
});
afterEach(() => test.drop());

const model = (name: string) => ({ name, createdAt: new Date(0), latestVersion: 0 });

async function latestVersion(name: string): Promise<number | undefined> {
  const [row] = await test.database.orm.select().from(models).where(eq(models.name, name));
  return row?.latestVersion;
}

describe('a transaction', () => {
  it('is run again until two that collide have both happened', async () => {
    await test.database.orm.insert(models).values(model('counted'));
    let begun = 0;
    const increment = () =>
      transaction(
        test.database,
        async (tx) => {
          begun++;
          const [row] = await tx.select().from(models).where(eq(models.name, 'counted'));
          await tx.update(models).set({ latestVersion: (row?.latestVersion ?? 0) + 1 });
        },
        { isolationLevel: 'serializable', attempts: 50 },
      );
    await Promise.all([increment(), increment(), increment(), increment()]);
    expect(await latestVersion('counted')).toBe(4);
    expect(begun).toBeGreaterThanOrEqual(4);
  });

  it('is run again after a deadlock', async () => {
    await test.database.orm.insert(models).values([model('one'), model('two')]);
    const bump = (tx: Transaction, name: string) =>
      tx
        .update(models)
        .set({ latestVersion: sql`${models.latestVersion} + 1` })
        .where(eq(models.name, name));
    let waiting = 2;
    let meet = () => {};
    const met = new Promise<void>((resolve) => (meet = resolve));
    const both = (first: string, second: string) =>
      transaction(test.database, async (tx) => {
        await tx.execute(sql`set local deadlock_timeout = '10ms'`);
        await bump(tx, first);
        if (--waiting === 0) meet();
        await met;
        await bump(tx, second);
      });
    await Promise.all([both('one', 'two'), both('two', 'one')]);
    expect([await latestVersion('one'), await latestVersion('two')]).toEqual([2, 2]);
    expect(waiting).toBeLessThan(0);
  });

  it('gives up after the attempts it has', async () => {
    let begun = 0;
    const failing = transaction(
      test.database,
      async (tx) => {
        begun++;
        await tx.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`);
      },
      { attempts: 3 },
    );
    await expect(failing).rejects.toBeInstanceOf(TransactionConflictError);
    expect(begun).toBe(3);
  });

  it('leaves nothing when its work throws', async () => {
    const thrown = new Error('mine');
    const failing = transaction(test.database, async (tx) => {
      await tx.insert(models).values(model('gone'));
      throw thrown;
    });
    await expect(failing).rejects.toBe(thrown);
    expect(await latestVersion('gone')).toBeUndefined();
  });
});

describe('an error of the database', () => {
  it('names the constraint when there is one already, within a transaction, a nested one and without', async () => {
    const { orm } = test.database;
    await orm.insert(models).values(model('taken'));
    const again = (executor: Pick<Transaction, 'insert'>) =>
      executor
        .insert(models)
        .values(model('taken'))
        .then(() => undefined);
    for (const attempt of [
      () => again(orm),
      () => orm.transaction((tx) => again(tx)),
      () => orm.transaction((tx) => tx.transaction((inner) => again(inner))),
    ]) {
      const error: unknown = await attempt().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(UniqueViolationError);
      expect(error).toMatchObject({
        code: 'conflict',
        constraint: 'models_pkey',
        cause: expect.any(Error) as Error,
      });
    }
  });

  it('can be caught inside a nested transaction, and the outer one goes on', async () => {
    const { orm } = test.database;
    await orm.insert(models).values(model('taken'));
    await orm.transaction(async (tx) => {
      const nested = tx.transaction((inner) => inner.insert(models).values(model('taken')));
      await expect(nested).rejects.toBeInstanceOf(UniqueViolationError);
      await tx.insert(models).values(model('after'));
    });
    expect(await latestVersion('after')).toBe(0);
  });

  it('carries the SQLSTATE when the statement is at fault, and not the statement', async () => {
    const error: unknown = await test.database.orm
      .execute(sql`select secret from nowhere`)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ sqlState: '42P01', transient: false });
    expect((error as Error).message).not.toContain('secret');
  });

  it('says that the database is unavailable when the connection is cut, and the next statement has a new one', async () => {
    const cut = transaction(test.database, async (tx) => {
      await tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`);
    });
    const error: unknown = await cut.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DatabaseUnavailableError);
    expect(error).toMatchObject({ transient: true });
    expect(await test.database.orm.select().from(models)).toEqual([]);
  });
});

describe('opening a database', () => {
  it('says that it is unavailable when no server listens', async () => {
    const nowhere = { folder: '/tmp', port: 1, user: 'u', database: 'd' };
    await expect(openDatabase({ connection: nowhere })).rejects.toBeInstanceOf(DatabaseUnavailableError);
    await expect(openDatabase({ url: socketUrl(nowhere) })).rejects.toBeInstanceOf(DatabaseUnavailableError);
    await expect(openDatabase({ url: 'postgres://u@127.0.0.1:1/d' })).rejects.toBeInstanceOf(
      DatabaseUnavailableError,
    );
  });

  it('says that there is no such database', async () => {
    const missing = openDatabase(withDatabase(test.address, 'perennial_missing'));
    await expect(missing).rejects.toBeInstanceOf(DatabaseAddressError);
  });

  it.each(['', 'localhost:5432', 'mysql://user:hunter2@host/db'])(
    'refuses the address %j without repeating it',
    async (url) => {
      const refused = openDatabase({ url });
      await expect(refused).rejects.toBeInstanceOf(DatabaseAddressError);
      await expect(refused).rejects.not.toThrow(/hunter2/);
    },
  );

  it('understands a socket in the form of a URL', () => {
    const connection = { folder: '/tmp/a b', port: 5432, user: 'me & you', database: 'x/y' };
    expect(connectionOptions({ url: socketUrl(connection) })).toEqual(connectionOptions({ connection }));
  });
});
