import { readMigrationFiles } from 'drizzle-orm/migrator';
import { DatabaseSchemaError } from '../errors.ts';
import { installQueue } from '../queue/install.ts';
import { withConnection, type Database } from './connection.ts';
import { migrationsFolder } from './migrations-folder.ts';
import type { Sql } from './sql.ts';
import { rethrowDatabaseError } from './translate-error.ts';

/** Key of the advisory lock that one migration at a time holds; any constant that nothing else of ours uses. */
const MIGRATION_LOCK = 7_300_214_001;

/** One generated migration: its statements, the time in its journal entry, the sha-256 of its file. */
interface Migration {
  statements: string[];
  createdAt: number;
  hash: string;
}

export interface MigrateOptions {
  /** @default the folder that came with this package */
  folder?: string;
}

/**
 * Brings the database to the schema of this version of the code, the queue's included. Safe to call from any number of processes at once: one works,
 * the others wait. drizzle's own migrator takes no lock (drizzle-orm#874: three at once applied one migration three times) and skips a migration that is
 * older than the last applied; its table and files are used here, its loop is not.
 * @returns how many migrations were applied
 * @throws DatabaseSchemaError when the database has a migration that this code does not know, or another one in its place
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<number> {
  const migrations = readMigrations(options.folder ?? migrationsFolder());
  return withConnection(database.connectionOptions, async (sql) => {
    // Held by the session, so it goes with the connection, also when this process dies.
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    const applied = await applyPending(sql, migrations);
    await installQueue(database.connectionOptions).catch(rethrowDatabaseError);
    return applied;
  });
}

function readMigrations(folder: string): Migration[] {
  return readMigrationFiles({ migrationsFolder: folder }).map((file) => ({
    statements: file.sql,
    createdAt: file.folderMillis,
    hash: file.hash,
  }));
}

async function applyPending(sql: Sql, migrations: Migration[]): Promise<number> {
  await sql`create schema if not exists drizzle`;
  await sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`;
  const rows = await sql<{ hash: string }[]>`select hash from drizzle.__drizzle_migrations order by id`;
  refuseForeign(
    rows.map((row) => row.hash),
    migrations,
  );
  const pending = migrations.slice(rows.length);
  await sql.begin(async (tx) => {
    for (const migration of pending) await apply(tx, migration);
  });
  return pending.length;
}

/** What is applied must be the beginning of what the code has. */
function refuseForeign(applied: string[], migrations: Migration[]): void {
  for (const [i, hash] of applied.entries()) {
    if (migrations[i]?.hash === hash) continue;
    const label = `${i + 1} (${hash.slice(0, 12)})`;
    throw new DatabaseSchemaError(i >= migrations.length ? 'newer' : 'different', label);
  }
}

async function apply(tx: Sql, migration: Migration): Promise<void> {
  for (const statement of migration.statements) await tx.unsafe(statement);
  await tx`insert into drizzle.__drizzle_migrations (hash, created_at) values (${migration.hash}, ${migration.createdAt})`;
}
