import { Pool, types, type PoolClient, type PoolConfig } from 'pg';
import { DatabaseUnavailableError } from '../errors.ts';
import type { ConnectionOptions } from './address.ts';
import { translateDatabaseError } from './translate-error.ts';

export interface PoolOptions {
  maxConnections: number;
  applicationName: string;
  /** What the server remarks on statements. */
  onNotice?: ((message: string) => void) | undefined;
}

const CONNECT_MILLISECONDS = 10_000;
const IDLE_MILLISECONDS = 300_000;
const CLOSE_MILLISECONDS = 5_000;

/** Object ids of types that are read as text: a day or a zoneless time would otherwise become an instant in the zone of this machine. */
const DATE = 1082;
const DATE_ARRAY = 1182;
const TIMESTAMP = 1114;
const TEXT_ARRAY = 1009;

const TYPES: PoolConfig['types'] = {
  getTypeParser: ((oid: number, format: 'text') => {
    if (oid === DATE || oid === TIMESTAMP) return (text: string) => text;
    return types.getTypeParser(oid === DATE_ARRAY ? TEXT_ARRAY : oid, format) as unknown;
  }) as typeof types.getTypeParser,
};

/**
 * Connections of node-postgres, with what it leaves to its users: each connection and the pool emit `error` when the server goes away, and without a listener on
 * both the loss would end the process.
 */
export class ConnectionPool {
  readonly #pool: Pool;
  readonly #clients = new Set<PoolClient>();
  readonly #lost = new WeakSet<PoolClient>();

  constructor(connection: ConnectionOptions, { maxConnections, applicationName, onNotice }: PoolOptions) {
    this.#pool = new Pool({
      ...connection,
      max: maxConnections,
      application_name: applicationName,
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      idleTimeoutMillis: IDLE_MILLISECONDS,
      keepAlive: true,
      types: TYPES,
    });
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => this.#welcome(client, onNotice));
    this.#pool.on('remove', (client) => this.#clients.delete(client));
  }

  /** @throws DatabaseUnavailableError when there is no connection to be had within ten seconds */
  async acquire(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      const translated = translateDatabaseError(error);
      throw translated === error ? new DatabaseUnavailableError({ cause: error }) : translated;
    }
  }

  /** Gives a connection back, or away when it is of no more use. */
  release(client: PoolClient, broken = false): void {
    client.release(broken || this.#lost.has(client));
  }

  /** Whether the server hung up. node-postgres then rejects statements with errors that have no code. */
  isLost(client: PoolClient): boolean {
    return this.#lost.has(client);
  }

  /** Waits five seconds for running statements, then hangs up. */
  async close(): Promise<void> {
    const hangUp = setTimeout(() => {
      for (const client of this.#clients) void client.end().catch(() => undefined);
    }, CLOSE_MILLISECONDS);
    await this.#pool.end();
    clearTimeout(hangUp);
  }

  /** The zone is set by a statement, since a connection pooler between us and the server may refuse it as a parameter. */
  #welcome(client: PoolClient, onNotice: ((message: string) => void) | undefined): void {
    this.#clients.add(client);
    client.on('error', () => this.#lost.add(client));
    client.on('notice', (notice) => onNotice?.(notice.message ?? ''));
    client.query("set time zone 'UTC'").catch(() => undefined);
  }
}
