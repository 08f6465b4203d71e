import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBAppender,
  DuckDBMaterializedResult,
  DuckDBResult,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api';
import { duckdb } from './duckdb.ts';
import { globEscaped, literal } from './sql.ts';
import { QueryFailedError, WorkFolderFullError } from './errors.ts';

export interface EngineOptions {
  /** Worker threads, the caller's included. */
  threads: number;
  /** What DuckDB may hold in memory before it spills, such as `2GB`. */
  memoryLimit: string;
  /** Folder for what spills, and the only one that may be written to; must exist. Absent: nothing spills, nothing is written. */
  folder?: string;
  /** Folders whose files may be read. Everything else on the machine is out of reach of any query. */
  readable: readonly string[];
}

const REPEAT_MILLISECONDS = 20;

/** What a data chunk of DuckDB holds. */
const CHUNK_ROWS = 2_048;

/** Values of one column to be appended, as what they are handed over. */
export interface AppendedColumn {
  type: DuckDBType;
  values: readonly DuckDBValue[];
}

/** A DuckDB of our own in memory: locked down, in UTC, one build or read long. */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #connections: Connection[];
  readonly main: Connection;
  #interrupting: NodeJS.Timeout | undefined;

  private constructor(instance: DuckDBInstance, main: Connection) {
    this.#instance = instance;
    this.#connections = [main];
    this.main = main;
  }

  static async open({ threads, memoryLimit, folder, readable }: EngineOptions): Promise<Engine> {
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      threads: String(threads),
      memory_limit: memoryLimit,
      temp_directory: folder ?? '',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
    });
    const main = new Connection(await instance.connect());
    const allowed = folder === undefined ? readable : [folder, ...readable];
    // A path is checked as it is written, and a path is written with its wildcards escaped.
    const prefixes = [...new Set(allowed.flatMap((path) => [path, globEscaped(path)]))];
    // The zone decides what a time without one means, and would otherwise be the machine's.
    await main.run(`SET GLOBAL TimeZone = 'UTC'`);
    await main.run(`SET allowed_directories = [${prefixes.map(directoryLiteral).join(', ')}]`);
    await main.run(`SET allowed_configs = ['threads']`);
    await main.run('SET enable_external_access = false');
    await main.run('SET lock_configuration = true');
    return new Engine(instance, main);
  }

  /** Another connection to the same tables, for a query beside one that is running. */
  async connect(): Promise<Connection> {
    const connection = new Connection(await this.#instance.connect());
    this.#connections.push(connection);
    return connection;
  }

  /** Breaks off every query that is running or begins from now on; they fail as `INTERRUPT`. */
  interrupt(): void {
    const interruptAll = () => {
      for (const connection of this.#connections) connection.interrupt();
    };
    interruptAll();
    // DuckDB forgets an interruption that comes before a query has begun to run, and queries are begun on other threads.
    this.#interrupting ??= setInterval(interruptAll, REPEAT_MILLISECONDS).unref();
  }

  /** No query may be running any more. */
  close(): void {
    clearInterval(this.#interrupting);
    for (const connection of this.#connections) connection.close();
    this.#instance.closeSync();
  }
}

/** Prefixes end in a slash, or `/data` would open `/database` as well. */
function directoryLiteral(folder: string): string {
  return literal(folder.replace(/\/*$/, '/'));
}

export class Connection {
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  async run(sql: string): Promise<void> {
    await this.#connection.run(sql).catch(rethrowQueryError);
  }

  /** A small answer as objects: BIGINT and HUGEINT as bigint, the rest as JavaScript has them. `Row` is what the query says. */
  async rows<Row>(sql: string): Promise<Row[]> {
    const reader = await this.#connection.runAndReadAll(sql).catch(rethrowQueryError);
    return reader.getRowObjectsJS() as Row[];
  }

  /** The one row of a query that always has one. */
  async row<Row>(sql: string): Promise<Row> {
    const [row] = await this.rows<Row>(sql);
    if (row === undefined) throw new QueryFailedError('Empty', 'a query that always has a row had none');
    return row;
  }

  /** A large answer, chunk by chunk. */
  async stream(sql: string): Promise<DuckDBResult> {
    return this.#connection.stream(sql).catch(rethrowQueryError);
  }

  /** An answer that is in memory whole, so that its chunks need no wait. */
  async collect(sql: string): Promise<DuckDBMaterializedResult> {
    return this.#connection.run(sql).catch(rethrowQueryError);
  }

  /** What puts chunks of rows into a table; whoever asked for it closes it. */
  async openAppender(table: string): Promise<DuckDBAppender> {
    return this.#connection.createAppender(table).catch(rethrowQueryError);
  }

  /** Adds rows to a table; the columns are all of one length. Texts are cast to the types of the table's columns. */
  async append(table: string, columns: readonly AppendedColumn[]): Promise<void> {
    const rows = columns[0]?.values.length ?? 0;
    const appender = await this.#connection.createAppender(table).catch(rethrowQueryError);
    try {
      for (let start = 0; start < rows; start += CHUNK_ROWS) {
        const chunk = duckdb.DuckDBDataChunk.create(columns.map(({ type }) => type));
        chunk.setColumns(columns.map(({ values }) => values.slice(start, start + CHUNK_ROWS)));
        appender.appendDataChunk(chunk);
      }
    } catch (error) {
      rethrowQueryError(error);
    } finally {
      appender.closeSync();
    }
  }

  interrupt(): void {
    this.#connection.interrupt();
  }

  close(): void {
    this.#connection.closeSync();
  }
}

/** DuckDB says everything in one text: `Binder Error: sentence`, then perhaps the query with a caret. */
export function rethrowQueryError(cause: unknown): never {
  if (!(cause instanceof Error)) throw cause;
  if (cause.message.includes('No space left on device')) throw new WorkFolderFullError({ cause });
  const [, kind, text] = /^([A-Za-z ]+?)(?: Error)?: ([\s\S]*)$/.exec(cause.message) ?? [];
  const sentence = (text ?? cause.message).split(/\n\s*LINE \d+:/)[0] ?? '';
  throw new QueryFailedError(kind ?? 'Unknown', sentence.replace(/\s+/g, ' ').trim(), { cause });
}
