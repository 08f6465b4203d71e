import type { Database, S3Objects } from '@perennial/storage';
import { ConnectionUnknownError } from './errors.ts';

/** What sources are read through beside the local disk. A source that needs what is not there is refused, saying so. */
export interface SourceReaders {
  /**
   * The address (`postgres://…`) of a named connection.
   * @throws ConnectionUnknownError
   */
  connections?: (name: string) => string;
  /** The buckets of the platform's S3-compatible store. */
  objects?: S3Objects;
  /** The platform's own database: streams, predictions and truths. */
  database?: Pick<Database, 'orm' | 'connectionOptions'>;
}

/** Connections by name. */
export function namedConnections(addresses: Readonly<Record<string, string>>): (name: string) => string {
  return (name) => {
    const address = Object.hasOwn(addresses, name) ? addresses[name] : undefined;
    if (address === undefined) throw new ConnectionUnknownError(name, Object.keys(addresses).sort());
    return address;
  };
}
