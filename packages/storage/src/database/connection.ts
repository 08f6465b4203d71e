import postgres, { type Options, type Sql } from 'postgres';
import { connectionOptions, type ConnectionOptions, type DatabaseAddress } from './address.ts';
import { rethrowDatabaseError } from './translate-error.ts';
import { createOrm, type Orm } from './translating-session.ts';

/** An open database: a pool of connections and the ways to use it. */
export interface Database {
  /** The tables through drizzle. Its errors are ours (`DatabaseUnavailableError`, `UniqueViolationError`, …). */
  readonly orm: Orm;
  /**
   * postgres.js itself, for statements that drizzle has no word for. `timestamptz` is a `Date`, `date` is `YYYY-MM-DD`, `jsonb` is parsed; write
   * it as `sql.json(value)` or as `${text}::text::jsonb`. Its errors are the driver's: end with `.catch(rethrowDatabaseError)`.
   */
  readonly sql: Sql<{ calendarDay: string }>;
  /** How to reach the same database with another driver (the queue's). */
  readonly connectionOptions: ConnectionOptions;
  /** Most connections the pool opens. */
  readonly maxConnections: number;
  /**
   * Calls the handler for every `notify` on the channel, on a connection of its own that reconnects by itself. Notifications sent while it was
   * away are lost: `onReconnect` is called each time listening begins, to catch up.
   */
  listen(channel: string, handler: (payload: string) => void, onListening?: () => void): Promise<Listener>;
  /** Lets running statements finish, at most five seconds, then closes every connection. */
  close(): Promise<void>;
}

export interface Listener {
  stop(): Promise<void>;
}

export type OpenDatabaseOptions = DatabaseAddress & {
  /** @default 10 */
  maxConnections?: number;
  /** What the server remarks on statements; not shown when absent. */
  onNotice?: (message: string) => void;
  /** Shown in `pg_stat_activity`. @default 'perennial' */
  applicationName?: string;
};

const CLOSE_SECONDS = 5;
const CONNECT_SECONDS = 10;

/**
 * Opens a pool on a database and makes sure that it answers.
 * @throws DatabaseUnavailableError when it does not
 * @throws DatabaseAddressError when the address is wrong or access is refused
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const address = connectionOptions(options);
  const maxConnections = options.maxConnections ?? 10;
  const sql = createClient(address, { ...options, maxConnections });
  try {
    await sql`select 1`;
  } catch (error) {
    await sql.end({ timeout: 0 });
    rethrowDatabaseError(error);
  }
  return {
    orm: createOrm(sql),
    sql,
    connectionOptions: address,
    maxConnections,
    listen: (channel, handler, onListening) => listen(sql, channel, { handler, onListening }),
    close: () => sql.end({ timeout: CLOSE_SECONDS }),
  };
}

/** A single connection for work that must not share one: advisory locks, and databases that are made or dropped. */
export function openSingleConnection(address: DatabaseAddress | ConnectionOptions): Database['sql'] {
  const target = 'url' in address || 'connection' in address ? connectionOptions(address) : address;
  return createClient(target, { maxConnections: 1 });
}

interface ClientOptions {
  maxConnections: number;
  onNotice?: (message: string) => void;
  applicationName?: string;
}

function createClient(address: ConnectionOptions, client: ClientOptions): Database['sql'] {
  const { onNotice, applicationName = 'perennial', maxConnections } = client;
  const options: Options<{ calendarDay: postgres.PostgresType<string> }> = {
    max: maxConnections,
    connect_timeout: CONNECT_SECONDS,
    connection: { application_name: applicationName, TimeZone: 'UTC' },
    types: { calendarDay: { to: 1082, from: [1082], serialize: String, parse: String } },
    onnotice: (notice) => onNotice?.(String(notice['message'])),
  };
  if ('connectionString' in address) return postgres(address.connectionString, options);
  return postgres({ ...options, ...address });
}

async function listen(
  sql: Database['sql'],
  channel: string,
  { handler, onListening }: { handler: (payload: string) => void; onListening: (() => void) | undefined },
): Promise<Listener> {
  const subscription = await sql.listen(channel, handler, onListening).catch(rethrowDatabaseError);
  return { stop: () => subscription.unlisten() };
}
