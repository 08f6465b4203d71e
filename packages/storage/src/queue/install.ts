import { runMigrations } from 'graphile-worker';
import type { ConnectionOptions } from '../database/address.ts';
import { silentLogger } from './logger.ts';
import { openQueuePool } from './queue-pool.ts';

/** Installs or updates graphile-worker's own schema, `graphile_worker`. */
export async function installQueue(connection: ConnectionOptions): Promise<void> {
  const pgPool = openQueuePool(connection, { maxConnections: 1, onError: () => undefined });
  try {
    await runMigrations({ pgPool, logger: silentLogger });
  } finally {
    await pgPool.end();
  }
}
