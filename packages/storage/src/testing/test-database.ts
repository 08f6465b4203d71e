import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { connectionOptions, withDatabase, type DatabaseAddress } from '../database/address.ts';
import { openDatabase, withConnection, type Database } from '../database/connection.ts';
import './provided-context.ts';
import { dropDatabase, startTestServer } from './test-server.ts';
import { knock, type TestServerNote } from './test-server-door.ts';

export interface TestDatabase {
  /** Migrated and empty; nobody else uses it. */
  database: Database;
  /** For what opens connections of its own. */
  address: DatabaseAddress;
  /** Closes the connections and drops the database. */
  drop(): Promise<void>;
}

/**
 * A database of one's own on the test server, copied from a migrated template. Call it in `beforeAll` or `beforeEach`, and `drop()` after.
 */
export async function createTestDatabase(options: { maxConnections?: number } = {}): Promise<TestDatabase> {
  const { address, template, leave } = await testServer();
  const name = `perennial_test_${randomUUID().replaceAll('-', '')}`;
  await copyTemplate(address, { template, name });
  const own = withDatabase(address, name);
  const database = await openDatabase({ ...own, maxConnections: options.maxConnections ?? 5 });
  return {
    database,
    address: own,
    drop: async () => {
      await database.close();
      await dropDatabase(address, name);
      await leave();
    },
  };
}

/** The server of the run, or one that is started for this call where Vitest's `globalSetup` names none; `leave` stops that one again. */
async function testServer(): Promise<TestServerNote & { leave: () => Promise<void> }> {
  const path = inject('perennialTestServer') as string | undefined;
  if (path !== undefined) return { ...(await knock(path)), leave: async () => undefined };
  const own = await startTestServer(process.env['DATABASE_URL']);
  return { address: own.address, template: own.template, leave: () => own.stop() };
}

async function copyTemplate(
  address: DatabaseAddress,
  { template, name }: { template: string; name: string },
): Promise<void> {
  await withConnection(
    connectionOptions(address),
    (sql) => sql`create database ${sql(name)} template ${sql(template)}`,
  );
}
