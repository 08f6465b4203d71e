import { DatabaseAddressError } from '../errors.ts';

/** A server on this machine, reached through the Unix socket `<folder>/.s.PGSQL.<port>`. */
export interface SocketConnection {
  folder: string;
  port: number;
  user: string;
  database: string;
}

/** Where a database is: a `postgres://` URL, or a socket on this machine. */
export type DatabaseAddress = { url: string } | { connection: SocketConnection };

/** A way to the database that both postgres.js and pg understand. */
export type ConnectionOptions =
  { connectionString: string } | { host: string; port: number; user: string; database: string };

/**
 * The URL of a socket in libpq's form, with the folder as `host` parameter, so that one text can say where any database is.
 */
export function socketUrl({ folder, port, user, database }: SocketConnection): string {
  return `postgres://${encodeURIComponent(user)}@localhost:${port}/${encodeURIComponent(database)}?host=${encodeURIComponent(folder)}`;
}

/**
 * @throws DatabaseAddressError when the URL is not one of PostgreSQL
 */
export function connectionOptions(address: DatabaseAddress): ConnectionOptions {
  if ('connection' in address) {
    const { folder, port, user, database } = address.connection;
    return { host: folder, port, user, database };
  }
  const url = parseUrl(address.url);
  const host = url.searchParams.get('host');
  if (host?.startsWith('/') !== true) return { connectionString: address.url };
  return {
    host,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}

/** The same server, another database of it. */
export function withDatabase(address: DatabaseAddress, database: string): DatabaseAddress {
  if ('connection' in address) return { connection: { ...address.connection, database } };
  const url = parseUrl(address.url);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { url: url.href };
}

/** The message leaves the text out, since it may hold a password. */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'postgres:' && url?.protocol !== 'postgresql:') {
    throw new DatabaseAddressError(
      'the address must be a URL like postgres://user:password@host:5432/database',
    );
  }
  return url;
}
