import { namedConnections, type SourceReaders } from '@perennial/data';
import { S3Objects } from '@perennial/storage';
import type { Config } from '../config/config.ts';
import type { PlatformParts } from './parts.ts';

/** What pipelines read their sources through: the named connections, the buckets of the S3 store where there is one, and the platform's own database. */
export function sourceReaders(config: Config, { database }: Pick<PlatformParts, 'database'>): SourceReaders {
  const connections = namedConnections(config.connections);
  if (config.artifacts.kind === 'folder') return { connections, database };
  const { endpoint, accessKey, secretKey, region } = config.artifacts;
  const account = { endpoint, accessKey, secretKey, ...(region === null ? {} : { region }) };
  return { connections, database, objects: new S3Objects(account) };
}
