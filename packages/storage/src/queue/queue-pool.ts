import { Pool } from 'pg';
import type { ConnectionOptions } from '../database/address.ts';

/**
 * Connections for graphile-worker, which takes node-postgres as it is. Each connection and the pool emit `error` when the server goes away; without a
 * listener on both the loss would end the process.
 */
export function openQueuePool(
  connection: ConnectionOptions,
  { maxConnections, onError }: { maxConnections: number; onError: (error: Error) => void },
): Pool {
  const pool = new Pool({ ...connection, max: maxConnections, application_name: 'perennial queue' });
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  return pool;
}
