import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionOptions, withDatabase, type DatabaseAddress } from '../database/address.ts';
import { openDatabase, withConnection } from '../database/connection.ts';
import { startEmbeddedPostgres } from '../database/embedded/start.ts';
import { migrate } from '../database/migrate.ts';

/** A server for tests with one migrated database that every test database is a copy of. */
export interface TestServer {
  address: DatabaseAddress;
  /** Name of the migrated database. */
  template: string;
  stop(): Promise<void>;
}

/** Tests may lose their data in a power cut: without these a copy of the template waits for the disk. */
const FAST_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
};

/** Uses the server at `url`, or starts an embedded one in the temporary directory. */
export async function startTestServer(url: string | undefined): Promise<TestServer> {
  return url === undefined ? startEmbedded() : prepareTemplate({ url }, async () => undefined);
}

async function startEmbedded(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-test-'));
  // mkdtemp gives mode 700: run as root, the server's user could not enter and the data would go to the system folder.
  await chmod(folder, 0o711);
  const server = await startEmbeddedPostgres({ folder, settings: FAST_SETTINGS });
  return prepareTemplate({ connection: server.connection }, async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
}

async function prepareTemplate(address: DatabaseAddress, stop: () => Promise<void>): Promise<TestServer> {
  const template = `perennial_template_${randomUUID().slice(0, 8)}`;
  await withConnection(connectionOptions(address), (sql) => sql`create database ${sql(template)}`);
  const database = await openDatabase({ ...withDatabase(address, template), maxConnections: 1 });
  await migrate(database);
  await database.close();
  return { address, template, stop: () => dropDatabase(address, template).then(stop) };
}

/** Drops a database, whoever is still connected to it. */
export async function dropDatabase(address: DatabaseAddress, name: string): Promise<void> {
  await withConnection(
    connectionOptions(address),
    (sql) => sql`drop database if exists ${sql(name)} with (force)`,
  );
}
