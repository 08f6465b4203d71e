import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseError, DatabaseUnavailableError, UniqueViolationError } from '../errors.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import type { Sql, SqlValue } from './sql.ts';

let test: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  test = await createTestDatabase({ maxConnections: 2 });
  sql = test.database.sql;
  await sql`create table things (id int primary key, name text)`;
});
afterEach(() => sql`truncate things`);
afterAll(() => test.drop());

const cutOthers = () =>
  sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;

describe('a statement', () => {
  it('takes values beside its text, whatever is in them', async () => {
    const name = `'; drop table things; -- $1 \\ "`;
    await sql`insert into things values (${1}, ${name})`;
    expect(await sql`select name from things where id = any(${[1, 2]})`).toEqual([{ name }]);
  });

  it('takes names as names', async () => {
    const odd = 'odd "name"; drop table things';
    await sql`create table ${sql(odd)} (${sql('a b')} int)`;
    expect(await sql`select ${sql('a b')} from ${sql(odd)}`).toEqual([]);
    await sql`drop table ${sql(odd)}`;
  });

  it('says how many rows it changed', async () => {
    await sql`insert into things select i, 'x' from generate_series(1, 3) i`;
    expect((await sql`update things set name = 'y' where id < 3`).count).toBe(2);
  });

  it.each([undefined, {}, () => 1, Promise.resolve(1)])('refuses %s, which is no value', async (value) => {
    const run = async () => sql`select ${value as unknown as SqlValue}`;
    await expect(run()).rejects.toBeInstanceOf(TypeError);
  });

  it('gives the last result of several in one text', async () => {
    expect(await sql.unsafe('select 1 as a; select 2 as b')).toEqual([{ b: 2 }]);
    expect(await sql.unsafe('select $1::int as a', [7])).toEqual([{ a: 7 }]);
  });

  it('keeps days, zoneless times and large numbers as texts', async () => {
    const rows = await sql`select '2001-02-03'::date as day, '2001-02-03 04:05'::timestamp as time,
      array['2001-02-03'::date] as days, 9007199254740993::bigint as large, 0.1::numeric as exact`;
    expect(rows).toEqual([
      {
        day: '2001-02-03',
        time: '2001-02-03 04:05:00',
        days: ['2001-02-03'],
        large: '9007199254740993',
        exact: '0.1',
      },
    ]);
  });
});

describe('a transaction in plain SQL', () => {
  it('undoes a savepoint alone', async () => {
    await sql.begin(async (tx) => {
      await tx`insert into things values (1, 'kept')`;
      const inner = tx.begin(async (savepoint) => {
        await savepoint`insert into things values (2, 'undone')`;
        await savepoint`insert into things values (1, 'again')`;
      });
      await expect(inner).rejects.toBeInstanceOf(UniqueViolationError);
    });
    expect(await sql`select id from things`).toEqual([{ id: 1 }]);
  });

  it('does not end well when a statement failed, even if nobody minded', async () => {
    const careless = sql.begin(async (tx) => {
      await tx`insert into things values (1, 'lost')`;
      await tx`select 1 / 0`.catch(() => undefined);
    });
    await expect(careless).rejects.toBeInstanceOf(DatabaseError);
    expect(await sql`select id from things`).toEqual([]);
  });

  it('refuses statements after its end', async () => {
    let escaped = sql;
    await sql.begin(async (tx) => {
      escaped = tx;
    });
    await expect(escaped`insert into things values (1, 'late')`).rejects.toThrow(/has ended/);
    expect(await sql`select id from things`).toEqual([]);
  });

  it('does nothing more once its connection is lost, also while it was busy with other things', async () => {
    const cut = sql.begin(async (tx) => {
      await tx`insert into things values (1, 'first')`;
      await cutOthers();
      await tx`insert into things values (2, 'second')`;
    });
    await expect(cut).rejects.toBeInstanceOf(DatabaseUnavailableError);
    expect(await sql`select id from things`).toEqual([]);
  });
});

describe('listening', () => {
  it('begins again when its connection is lost', async () => {
    const heard: string[] = [];
    let begun = 0;
    const listener = await test.database.listen(
      'news',
      (payload) => heard.push(payload),
      () => begun++,
    );
    await cutOthers();
    await expect.poll(() => begun).toBe(2);
    await sql.notify('news', 'after');
    await expect.poll(() => heard).toEqual(['after']);
    await listener.stop();
  });
});
