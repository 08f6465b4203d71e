import { Client, type QueryArrayConfig, type QueryArrayResult } from 'pg';
import { withConnection } from './connection.ts';
import type { ConnectionOptions } from './address.ts';
import { translateDatabaseError } from './translate-error.ts';

export interface ReadSessionOptions {
  /** Longest time for one statement, of which a fetch is one. @default 600000 */
  statementMilliseconds?: number;
  /** Breaks the running statement off, on the server too. */
  signal?: AbortSignal | undefined;
  /** Shown in `pg_stat_activity`. @default 'perennial reader' */
  applicationName?: string;
}

/** A column of an answer: its name, and the object id of its type (`pg_type.oid`). */
export interface AnswerColumn {
  name: string;
  typeId: number;
}

/** Rows in order, each its values in order, as the texts that PostgreSQL writes for them; null is null. */
export type TextRow = (string | null)[];

const STATEMENT_MILLISECONDS = 600_000;
const CONNECT_MILLISECONDS = 10_000;

/** Of which bytes are few and round trips rare: at 100 bytes a row half a megabyte. */
const BATCH_ROWS = 5_000;

/**
 * A connection of its own that reads one snapshot and can write nothing: a transaction that is read-only and repeatable. Values come as text, times in UTC and
 * ISO 8601, so that nothing is lost to JavaScript's numbers and dates.
 */
export class ReadSession {
  readonly #client: Client;
  readonly #connection: ConnectionOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #cancel = () => void this.#cancelStatement();
  #lost = false;

  private constructor(connection: ConnectionOptions, { signal, applicationName }: ReadSessionOptions) {
    this.#connection = connection;
    this.#signal = signal;
    this.#client = new Client({
      ...connection,
      application_name: applicationName ?? 'perennial reader',
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      keepAlive: true,
      types: { getTypeParser: () => (text: string) => text },
    });
    // Without a listener the loss of the connection would end the process; the statement that runs is told too.
    this.#client.on('error', () => (this.#lost = true));
  }

  /** @throws DatabaseUnavailableError, DatabaseAddressError */
  static async open(connection: ConnectionOptions, options: ReadSessionOptions = {}): Promise<ReadSession> {
    options.signal?.throwIfAborted();
    const session = new ReadSession(connection, options);
    const milliseconds = options.statementMilliseconds ?? STATEMENT_MILLISECONDS;
    try {
      await session.#client.connect();
      options.signal?.addEventListener('abort', session.#cancel);
      await session.#run('begin transaction isolation level repeatable read read only');
      // The whole answer is wanted, where a cursor is planned for its first tenth otherwise.
      const settings = {
        statement_timeout: milliseconds,
        timezone: 'UTC',
        datestyle: 'ISO',
        cursor_tuple_fraction: 1,
      };
      for (const [name, value] of Object.entries(settings))
        await session.#run('select set_config($1, $2, true)', [name, String(value)]);
      return session;
    } catch (error) {
      await session.close();
      throw translateDatabaseError(error);
    }
  }

  /** The columns that a query's answer would have. */
  async columns(query: string): Promise<AnswerColumn[]> {
    const { fields } = await this.#run(`select * from (${query}\n) as answer limit 0`);
    return fields.map(({ name, dataTypeID }) => ({ name, typeId: dataTypeID }));
  }

  /**
   * The rows of a query in batches; memory holds one batch. One query at a time.
   * @throws DatabaseError whose cause is PostgreSQL's own; DatabaseUnavailableError; the signal's reason
   */
  async *rows(query: string, values: readonly unknown[] = []): AsyncGenerator<TextRow[]> {
    await this.#run(`declare answer no scroll cursor for ${query}`, values);
    for (;;) {
      const { rows } = await this.#run(`fetch forward ${BATCH_ROWS} from answer`);
      if (rows.length > 0) yield rows;
      if (rows.length < BATCH_ROWS) break;
    }
    await this.#run('close answer');
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#cancel);
    await this.#client.end().catch(() => undefined);
  }

  /** Always by the extended protocol, in which a text is one statement and no more. */
  async #run(text: string, values: readonly unknown[] = []): Promise<QueryArrayResult<TextRow>> {
    const statement: QueryArrayConfig & { queryMode: 'extended' } = {
      text,
      values: [...values],
      rowMode: 'array',
      queryMode: 'extended',
    };
    try {
      return await this.#client.query<TextRow>(statement);
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw translateDatabaseError(error, { lost: this.#lost });
    }
  }

  /** Hanging up would leave the server at work on the statement until it next has something to send. */
  async #cancelStatement(): Promise<void> {
    const { processID } = this.#client as Client & { processID?: number | null };
    if (processID === undefined || processID === null) return;
    await withConnection(this.#connection, (sql) => sql`select pg_cancel_backend(${processID})`).catch(
      () => undefined,
    );
  }
}
