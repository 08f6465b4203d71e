import type { PoolClient, QueryArrayConfig, QueryConfig, QueryResult } from 'pg';
import { DatabaseError } from '../errors.ts';
import { CopyIn } from './copy-in.ts';
import type { ConnectionPool } from './pool.ts';
import { translateDatabaseError } from './translate-error.ts';

/** What a statement gave: its rows, and how many it read or changed. */
export type Rows<Row> = Row[] & { readonly count: number };

export interface Statement {
  text: string;
  values?: readonly unknown[];
  /** `array` gives each row as its values in order. @default objects by column name */
  rowMode?: 'array' | undefined;
}

/** Where statements run: on any free connection, or on the one of a transaction. */
export interface StatementRunner {
  run<Row>(statement: Statement): Promise<Rows<Row>>;
  /** Runs a `copy … from stdin` with what the chunks hold; answers how many rows there were. */
  copy(text: string, chunks: AsyncIterable<Buffer>): Promise<number>;
  /**
   * Runs the work in a transaction (in a transaction: under a savepoint).
   * @param mode what follows `begin`, such as `isolation level serializable`; only for the outermost
   */
  begin<Result>(work: (runner: StatementRunner) => Promise<Result>, mode?: string): Promise<Result>;
}

/** Runs each statement on a connection of the pool. */
export class PoolRunner implements StatementRunner {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async run<Row>(statement: Statement): Promise<Rows<Row>> {
    const client = await this.#pool.acquire();
    try {
      return await runOn<Row>(this.#pool, client, statement);
    } finally {
      this.#pool.release(client);
    }
  }

  async copy(text: string, chunks: AsyncIterable<Buffer>): Promise<number> {
    const client = await this.#pool.acquire();
    try {
      return await copyOn(this.#pool, client, { text, chunks });
    } finally {
      this.#pool.release(client);
    }
  }

  async begin<Result>(work: (runner: StatementRunner) => Promise<Result>, mode = ''): Promise<Result> {
    const client = await this.#pool.acquire();
    const transaction = new TransactionRunner({
      run: (statement) => runOn(this.#pool, client, statement),
      copy: (text, chunks) => copyOn(this.#pool, client, { text, chunks }),
    });
    let broken = true;
    try {
      await transaction.run({ text: `begin ${mode}` });
      const result = await work(transaction);
      await transaction.commit();
      broken = false;
      return result;
    } catch (error) {
      broken = !(await transaction.rollback());
      throw error;
    } finally {
      transaction.end();
      this.#pool.release(client, broken);
    }
  }
}

/** Ways to run statements on one connection. */
interface OneConnection {
  run(statement: Statement): Promise<Rows<unknown>>;
  copy(text: string, chunks: AsyncIterable<Buffer>): Promise<number>;
}

/** Runs statements on the one connection of a transaction, and none once that has ended: the connection is then somebody else's. */
class TransactionRunner implements StatementRunner {
  readonly #on: OneConnection;
  #ended = false;
  #savepoints = 0;

  constructor(on: OneConnection) {
    this.#on = on;
  }

  async run<Row>(statement: Statement): Promise<Rows<Row>> {
    this.#checkOpen();
    return (await this.#on.run(statement)) as Rows<Row>;
  }

  async copy(text: string, chunks: AsyncIterable<Buffer>): Promise<number> {
    this.#checkOpen();
    return this.#on.copy(text, chunks);
  }

  #checkOpen(): void {
    if (this.#ended) throw new Error('The transaction has ended: a statement was not waited for.');
  }

  async begin<Result>(work: (runner: StatementRunner) => Promise<Result>): Promise<Result> {
    const name = `savepoint_${this.#savepoints++}`;
    await this.run({ text: `savepoint ${name}` });
    try {
      const result = await work(this);
      await this.run({ text: `release savepoint ${name}` });
      return result;
    } catch (error) {
      // Without its connection there is nothing to go back to; what led here is the better error.
      await this.run({ text: `rollback to savepoint ${name}` }).catch(() => undefined);
      throw error;
    }
  }

  /**
   * PostgreSQL answers `commit` with a rollback, and no error, when a statement has failed: whoever caught that statement's error would be told that all is stored.
   */
  async commit(): Promise<void> {
    const { command } = (await this.run({ text: 'commit' })) as Rows<unknown> & { command?: string };
    if (command === 'ROLLBACK') throw new DatabaseError('25P02');
  }

  /** @returns whether the connection can be used again */
  async rollback(): Promise<boolean> {
    return this.run({ text: 'rollback' }).then(
      () => true,
      () => false,
    );
  }

  end(): void {
    this.#ended = true;
  }
}

async function runOn<Row>(
  pool: ConnectionPool,
  client: PoolClient,
  statement: Statement,
): Promise<Rows<Row>> {
  const { text, values, rowMode } = statement;
  const query = { text, ...(values && { values: [...values] }), ...(rowMode && { rowMode }) };
  try {
    return toRows<Row>(await client.query(query as QueryConfig | QueryArrayConfig));
  } catch (error) {
    throw translateDatabaseError(error, { lost: pool.isLost(client) });
  }
}

async function copyOn(
  pool: ConnectionPool,
  client: PoolClient,
  { text, chunks }: { text: string; chunks: AsyncIterable<Buffer> },
): Promise<number> {
  try {
    return await client.query(new CopyIn(text, chunks)).done;
  } catch (error) {
    throw translateDatabaseError(error, { lost: pool.isLost(client) });
  }
}

/** Several statements in one text give a result each, of which the last counts. */
function toRows<Row>(result: QueryResult | QueryResult[]): Rows<Row> {
  const last = Array.isArray(result) ? result.at(-1) : result;
  const rows = (last?.rows ?? []) as Row[];
  // Not enumerable, so that the rows compare equal to plain arrays. `rows` is where drizzle looks for them.
  return Object.defineProperties(rows, {
    count: { value: last?.rowCount ?? 0 },
    command: { value: last?.command },
    rows: { value: rows },
  }) as Rows<Row>;
}
