import type { ConnectionOptions } from '../database/address.ts';
import { openQueuePool } from './queue-pool.ts';

/** Installs or updates graphile-worker's own schema, `graphile_worker`. */
export async function installQueue(connection: ConnectionOptions): Promise<void> {
  const pgPool = openQueuePool(connection, { maxConnections: 1, onError: () => undefined });
  try {
    const [{ runMigrations }, { silentLogger }] = await Promise.all([
      import('graphile-worker'),
      import('./logger.ts'),
    ]);
    await runMigrations({ pgPool, logger: silentLogger });
  } finally {
    await pgPool.end();
  }
}
