import { ExplainingArtifactStore } from '@perennial/registry';
import {
  FileArtifactStore,
  S3ArtifactStore,
  migrate,
  openDatabase,
  socketUrl,
  startEmbeddedPostgres,
  type ArtifactStore,
  type Database,
} from '@perennial/storage';
import type { Config } from '../config/config.ts';
import type { Closers } from './closers.ts';
import type { Logger } from './logger.ts';

export interface OpenStorage {
  database: Database;
  artifacts: ArtifactStore;
  /** Where the database is, for other processes. */
  databaseUrl: string;
}

/** Opens database and artifact store as configured, and brings the database to the code's version. */
export async function openStorage(
  config: Config,
  { closers, logger }: { closers: Closers; logger: Logger },
): Promise<OpenStorage> {
  const address = await databaseAddress(config.database, { closers, logger });
  const database = await openConfiguredDatabase(address, { closers, logger });
  await migrate(database);
  const artifacts = new ExplainingArtifactStore(await openArtifacts(config.artifacts), database);
  const databaseUrl = 'url' in address ? address.url : socketUrl(address.connection);
  return { database, artifacts, databaseUrl };
}

async function openConfiguredDatabase(
  address: Awaited<ReturnType<typeof databaseAddress>>,
  { closers, logger }: { closers: Closers; logger: Logger },
): Promise<Database> {
  const database = await openDatabase({
    ...address,
    onNotice: (message) => logger.debug({ message }, 'database notice'),
  });
  closers.add('database', () => database.close());
  return database;
}

async function databaseAddress(
  config: Config['database'],
  { closers, logger }: { closers: Closers; logger: Logger },
) {
  if (config.kind === 'url') return { url: config.url };
  const server = await startEmbeddedPostgres({
    folder: config.folder,
    log: (message) => logger.info(message),
  });
  closers.add('embedded PostgreSQL', () => server.stop());
  return { connection: server.connection };
}

async function openArtifacts(config: Config['artifacts']): Promise<ArtifactStore> {
  if (config.kind === 'folder') return FileArtifactStore.open({ folder: config.folder });
  const { kind: _, region, ...rest } = config;
  return S3ArtifactStore.open({ ...rest, ...(region === null ? {} : { region }) });
}
