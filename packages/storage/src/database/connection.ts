import { connectionOptions, type ConnectionOptions, type DatabaseAddress } from './address.ts';
import { startListening, type Listener } from './listener.ts';
import { createOrm, type Orm } from './orm.ts';
import { ConnectionPool, type PoolOptions } from './pool.ts';
import { createSql, type Sql } from './sql.ts';
import { PoolRunner } from './statement-runner.ts';

export type { Listener } from './listener.ts';

/** An open database: a pool of connections and the ways to use it. */
export interface Database {
  /** The tables through drizzle. Its errors are ours (`DatabaseUnavailableError`, `UniqueViolationError`, …). */
  readonly orm: Orm;
  /** Statements in SQL. */
  readonly sql: Sql;
  /** How to reach the same database otherwise. */
  readonly connectionOptions: ConnectionOptions;
  /** Most connections the pool opens. */
  readonly maxConnections: number;
  /**
   * Calls the handler for every `notify` on the channel, on a connection of its own that reconnects by itself. Notifications sent while it was away are lost:
   * `onListening` is called each time listening begins, to catch up.
   */
  listen(channel: string, handler: (payload: string) => void, onListening?: () => void): Promise<Listener>;
  /** Lets running statements finish, at most five seconds, then closes every connection. */
  close(): Promise<void>;
}

export type OpenDatabaseOptions = DatabaseAddress & {
  /** @default 10 */
  maxConnections?: number;
  /** What the server remarks on statements; not shown when absent. */
  onNotice?: (message: string) => void;
  /** Shown in `pg_stat_activity`. @default 'perennial' */
  applicationName?: string;
};

/**
 * Opens a pool on a database and makes sure that it answers.
 * @throws DatabaseUnavailableError when it does not
 * @throws DatabaseAddressError when the address is wrong or access is refused
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { maxConnections = 10, applicationName = 'perennial', onNotice } = options;
  const address = connectionOptions(options);
  const { runner, close } = openRunner(address, { maxConnections, applicationName, onNotice });
  const listeners = new Set<Listener>();
  const sql = createSql(runner);
  try {
    await sql`select 1`;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    orm: createOrm(runner),
    sql,
    connectionOptions: address,
    maxConnections,
    listen: async (channel, handler, onListening) => {
      const listener = await startListening(address, { channel, handler, onListening });
      listeners.add(listener);
      return listener;
    },
    close: async () => {
      await Promise.all([...listeners].map((listener) => listener.stop()));
      await close();
    },
  };
}

function openRunner(
  address: ConnectionOptions,
  options: PoolOptions,
): { runner: PoolRunner; close: () => Promise<void> } {
  const pool = new ConnectionPool(address, options);
  return { runner: new PoolRunner(pool), close: () => pool.close() };
}

/**
 * Gives the work a single connection, for what must not share one: advisory locks that belong to a session, and databases that are made or dropped. What the
 * work leaves locked is free when it ends.
 */
export async function withConnection<Result>(
  address: ConnectionOptions,
  work: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  const { runner, close } = openRunner(address, { maxConnections: 1, applicationName: 'perennial setup' });
  try {
    return await work(createSql(runner));
  } finally {
    await close();
  }
}
