import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { withDatabase, type DatabaseAddress } from '../database/address.ts';
import { openDatabase, openSingleConnection, type Database } from '../database/connection.ts';
import './provided-context.ts';
import { dropDatabase } from './test-server.ts';
import { knock } from './test-server-door.ts';

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
  const { address, template } = await knock(doorPath());
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
    },
  };
}

function doorPath(): string {
  const path = inject('perennialTestServer');
  if (path === undefined) {
    throw new Error(
      'Name packages/storage/src/testing/global-setup.ts as globalSetup in the Vitest configuration.',
    );
  }
  return path;
}

async function copyTemplate(
  address: DatabaseAddress,
  { template, name }: { template: string; name: string },
): Promise<void> {
  const server = openSingleConnection(address);
  try {
    await server`create database ${server(name)} template ${server(template)}`;
  } finally {
    await server.end();
  }
}
