import { Client, escapeIdentifier } from 'pg';
import type { ConnectionOptions } from './address.ts';
import { translateDatabaseError } from './translate-error.ts';
import { DatabaseUnavailableError } from '../errors.ts';

export interface Listener {
  stop(): Promise<void>;
}

export interface ListenOptions {
  channel: string;
  handler: (payload: string) => void;
  /** Called each time listening begins. */
  onListening?: (() => void) | undefined;
}

const FIRST_PAUSE_MILLISECONDS = 50;
const LONGEST_PAUSE_MILLISECONDS = 5_000;

/**
 * Listens on a connection of its own, and again when that is lost.
 * @throws DatabaseUnavailableError when the database is not there to begin with
 */
export async function startListening(
  connection: ConnectionOptions,
  options: ListenOptions,
): Promise<Listener> {
  const listener = new ReconnectingListener(connection, options);
  await listener.connect();
  return listener;
}

class ReconnectingListener implements Listener {
  readonly #connection: ConnectionOptions;
  readonly #options: ListenOptions;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;

  constructor(connection: ConnectionOptions, options: ListenOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async connect(): Promise<void> {
    const { channel, handler, onListening } = this.#options;
    const client = new Client({
      ...this.#connection,
      application_name: 'perennial listener',
      keepAlive: true,
    });
    this.#client = client;
    client.on('error', () => undefined);
    client.on('notification', ({ payload }) => handler(payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      const translated = translateDatabaseError(error);
      throw translated === error ? new DatabaseUnavailableError({ cause: error }) : translated;
    }
    this.#failures = 0;
    client.once('end', () => this.#reconnectLater());
    onListening?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  #reconnectLater(): void {
    if (this.#stopped) return;
    const pause = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** this.#failures++, LONGEST_PAUSE_MILLISECONDS);
    this.#timer = setTimeout(() => {
      this.connect().catch(() => this.#reconnectLater());
    }, pause).unref();
  }
}
