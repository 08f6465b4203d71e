import { ExplainingArtifactStore } from '@perennial/registry';
import {
  FileArtifactStore,
  S3ArtifactStore,
  migrate,
  openDatabase,
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
}

/** Opens database and artifact store as configured, and brings the database to the code's version. */
export async function openStorage(
  config: Config,
  { closers, logger }: { closers: Closers; logger: Logger },
): Promise<OpenStorage> {
  const database = await openConfiguredDatabase(config.database, { closers, logger });
  await migrate(database);
  const artifacts = new ExplainingArtifactStore(await openArtifacts(config.artifacts), database);
  return { database, artifacts };
}

async function openConfiguredDatabase(
  config: Config['database'],
  { closers, logger }: { closers: Closers; logger: Logger },
): Promise<Database> {
  const address = await databaseAddress(config, { closers, logger });
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
