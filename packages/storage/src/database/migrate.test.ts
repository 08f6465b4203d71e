import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseSchemaError } from '../errors.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { openDatabase, type Database } from './connection.ts';
import { migrate } from './migrate.ts';
import { migrationsFolder } from './migrations-folder.ts';
import * as schema from './schema.ts';

let test: TestDatabase;
let folder: string;
beforeEach(async () => {
  test = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'perennial-migrations-'));
  await cp(migrationsFolder(), folder, { recursive: true });
});
afterEach(async () => {
  await test.drop();
  await rm(folder, { recursive: true, force: true });
});

/** As before the first migration. */
async function empty({ sql }: Database): Promise<void> {
  await sql.unsafe(
    'drop schema public cascade; create schema public; drop schema drizzle cascade; drop schema graphile_worker cascade',
  );
}

const history = () => test.database.sql`select hash from drizzle.__drizzle_migrations order by id`;

async function addMigration(name: string, statement: string): Promise<void> {
  const path = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(await readFile(path, 'utf8')) as { entries: { idx: number; when: number }[] };
  const idx = journal.entries.length;
  // Older than the one before it, as when two branches are merged: drizzle's own migrator would skip it without a word.
  const entry = { idx, version: '7', when: 1, tag: name, breakpoints: true };
  await writeFile(path, JSON.stringify({ ...journal, entries: [...journal.entries, entry] }));
  await writeFile(join(folder, `${name}.sql`), statement);
}

async function firstMigrationFile(): Promise<string> {
  const text = await readFile(join(folder, 'meta', '_journal.json'), 'utf8');
  const { entries } = JSON.parse(text) as { entries: { tag: string }[] };
  return join(folder, `${entries[0]?.tag}.sql`);
}

describe('the migrations', () => {
  it('are those of the schema: when this fails, run `npm run migration -w packages/storage`', async () => {
    const snapshots = (await readdir(join(folder, 'meta')))
      .filter((name) => name.endsWith('_snapshot.json'))
      .sort();
    const last = JSON.parse(await readFile(join(folder, 'meta', snapshots.at(-1) ?? ''), 'utf8')) as {
      id: string;
    };
    const current: unknown = generateDrizzleJson({ ...schema }, last.id);
    expect(await generateMigration(last as never, current as never)).toEqual([]);
  });
});

describe('migrating', () => {
  it('makes every table of the schema, and nothing the second time', async () => {
    await empty(test.database);
    const applied = await migrate(test.database);
    expect(applied).toBeGreaterThan(0);
    expect(await migrate(test.database)).toBe(0);
    const rows = await test.database.sql`select tablename from pg_tables where schemaname = 'public'`;
    const tables = Object.values(schema).filter((value) => is(value, PgTable));
    expect(rows.map((row) => row['tablename'] as string).sort()).toEqual(tables.map(getTableName).sort());
  });

  it('is done once by three that begin at the same time', async () => {
    await empty(test.database);
    const others = await Promise.all([1, 2].map(() => openDatabase({ ...test.address, maxConnections: 1 })));
    const applied = await Promise.all([test.database, ...others].map((database) => migrate(database)));
    await Promise.all(others.map((database) => database.close()));
    const [total] = applied.toSorted((a, b) => b - a);
    expect(applied.toSorted()).toEqual([0, 0, total]);
    expect(await history()).toHaveLength(total ?? 0);
  });

  it('applies what is new, whatever the time in its journal', async () => {
    await addMigration('0999_later', 'create table later (id int)');
    expect(await migrate(test.database, { folder })).toBe(1);
    expect(await test.database.sql`select * from later`).toEqual([]);
  });

  it('undoes a migration that fails half-way', async () => {
    const before = await history();
    await addMigration('0999_broken', 'create table half (id int);--> statement-breakpoint\nselect 1 / 0');
    await expect(migrate(test.database, { folder })).rejects.toMatchObject({ sqlState: '22012' });
    expect(await history()).toEqual(before);
    expect(await test.database.sql`select to_regclass('half') as half`).toEqual([{ half: null }]);
  });

  it('refuses a database that is newer than the code', async () => {
    await addMigration('0999_later', 'create table later (id int)');
    await migrate(test.database, { folder });
    const refused = migrate(test.database);
    await expect(refused).rejects.toBeInstanceOf(DatabaseSchemaError);
    await expect(refused).rejects.toMatchObject({ problem: 'newer' });
  });

  it('refuses a database whose migrations are others than the code has', async () => {
    const path = await firstMigrationFile();
    await writeFile(path, `${await readFile(path, 'utf8')}\n-- edited`);
    await expect(migrate(test.database, { folder })).rejects.toMatchObject({ problem: 'different' });
  });
});
