import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseError, DatabaseUnavailableError, UniqueViolationError } from '../errors.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import type { Sql } from './sql.ts';

let test: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  test = await createTestDatabase({ maxConnections: 2 });
  sql = test.database.sql;
  await sql`create table things (id int primary key, name text)`;
});
afterEach(() => sql`truncate things`);
afterAll(() => test.drop());

const COPY = 'copy things from stdin';
const count = async () => (await sql`select from things`).length;

async function* lines(...chunks: string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** More than fits into the connection at once, so that the sender has to wait for it. */
async function* manyLines(made: { chunks: number }, most = 200): AsyncGenerator<Buffer> {
  const filler = 'x'.repeat(1_000);
  for (let chunk = 0; chunk < most; chunk++) {
    made.chunks++;
    yield Buffer.from(Array.from({ length: 100 }, (_, i) => `${chunk * 100 + i}\t${filler}\n`).join(''));
  }
}

describe('copying in', () => {
  it('takes rows wherever the chunks are cut, and says how many there were', async () => {
    expect(await sql.copy(COPY, lines('1\ton', 'e\n2\t\\N\n', '3\ta\\tb\n'))).toBe(3);
    expect(await sql`select * from things order by id`).toEqual([
      { id: 1, name: 'one' },
      { id: 2, name: null },
      { id: 3, name: 'a\tb' },
    ]);
    expect(await sql.copy(COPY, lines())).toBe(0);
  });

  it('sends no faster than the connection takes', async () => {
    expect(await sql.copy(COPY, manyLines({ chunks: 0 }))).toBe(20_000);
    expect(await count()).toBe(20_000);
  });

  it('copies all or nothing, and leaves the connection usable', async () => {
    await sql`insert into things values (2, 'there')`;
    await expect(sql.copy(COPY, lines('1\ta\n', '2\tb\n'))).rejects.toBeInstanceOf(UniqueViolationError);
    await expect(sql.copy(COPY, lines('1\ta\n', 'x\tb\n'))).rejects.toBeInstanceOf(DatabaseError);
    expect(await count()).toBe(1);
    expect(await sql.copy(COPY, lines('1\ta\n'))).toBe(1);
  });

  it('makes no further chunk once the server has refused', async () => {
    const made = { chunks: 0 };
    await sql`insert into things values (5, 'there')`;
    // Without an end: how much is on its way before the refusal is heard is the connection's affair.
    const endless = manyLines(made, Infinity);
    await expect(sql.copy(`${COPY} (format csv)`, endless)).rejects.toBeInstanceOf(DatabaseError);
    expect(made.chunks).toBeGreaterThan(0);
    expect(await count()).toBe(1);
  });

  it('fails with the reason why a chunk could not be made', async () => {
    const reason = new Error('no more');
    async function* failing() {
      yield Buffer.from('1\ta\n');
      throw reason;
    }
    await expect(sql.copy(COPY, failing())).rejects.toBe(reason);
    expect(await count()).toBe(0);
    expect(await sql.copy(COPY, lines('1\ta\n'))).toBe(1);
  });

  it('is part of its transaction', async () => {
    const rollback = new Error('undo');
    const work = sql.begin(async (tx) => {
      expect(await tx.copy(COPY, lines('1\ta\n'))).toBe(1);
      expect(await tx`select name from things`).toEqual([{ name: 'a' }]);
      throw rollback;
    });
    await expect(work).rejects.toBe(rollback);
    expect(await count()).toBe(0);
  });

  it('fails when the connection is cut in the middle', async () => {
    async function* cut() {
      yield Buffer.from('1\ta\n');
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
      yield Buffer.from('2\ta\n');
    }
    await expect(sql.copy(COPY, cut())).rejects.toBeInstanceOf(DatabaseUnavailableError);
    // The other connection of the pool was cut as well, and says so to the first who takes it.
    expect(await count().catch(count)).toBe(0);
  });
});
