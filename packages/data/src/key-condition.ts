import { INTEGER, VARCHAR } from '@duckdb/node-api';
import { InvalidRequestError, type ColumnType, type InputColumn } from '@perennial/contract';
import { PipelineInvalidError } from '@perennial/pipeline';
import { SHAPE, checkAuthorSql } from './author-sql.ts';
import { Engine } from './engine.ts';
import { QueryFailedError } from './errors.ts';
import { identifier, literal } from './sql.ts';
import type { SourceColumn } from './source-relation.ts';

export interface KeyConditionOptions {
  model: string;
  /** A condition over the columns and `key`, as somebody wrote it into a request. */
  sql: string;
  /** What the model reads. */
  columns: readonly InputColumn[];
}

/** An entity: its key, and its row as JSON. */
export interface ConditionRow {
  key: string;
  features: string;
}

const TYPES: Readonly<Record<ColumnType, string>> = {
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  text: 'VARCHAR',
  timestamp: 'TIMESTAMP',
};

/** A condition that says nothing is found in a second; what takes longer than this would hold up a worker. */
const LONGEST_MILLISECONDS = 60_000;

/**
 * A condition in SQL that picks entities. It is held to what a pipeline's own expressions are (one row, the same answer every time) and evaluated in a DuckDB of its own that reaches no
 * file, no network and none of the platform's tables. Needs `close`.
 */
export class KeyCondition {
  readonly #engine: Engine;
  readonly #query: string;

  private constructor(engine: Engine, query: string) {
    this.#engine = engine;
    this.#query = query;
  }

  /** @throws InvalidRequestError when it is no such condition */
  static async open({ model, sql, columns }: KeyConditionOptions): Promise<KeyCondition> {
    const engine = await Engine.open({ threads: 1, memoryLimit: '512MB', readable: [] });
    // The entity's key goes before a column of that name; DuckDB's names know no case.
    const inputs = columns.filter(({ name }) => name.toLowerCase() !== 'key');
    try {
      const query = await inTime(engine, () => plan(engine, { model, sql, inputs }));
      return new KeyCondition(engine, query);
    } catch (error) {
      engine.close();
      throw requestError(error);
    }
  }

  /**
   * Which of the rows it holds for; a row for which it is NULL is not among them.
   * @throws InvalidRequestError when it cannot be evaluated, say for a text that is no number
   */
  async matching<Row extends ConditionRow>(rows: readonly Row[]): Promise<Row[]> {
    const { main } = this.#engine;
    try {
      return await inTime(this.#engine, async () => {
        await main.run('DELETE FROM entities');
        await main.append('entities', [
          { type: INTEGER, values: rows.map((_, index) => index) },
          { type: VARCHAR, values: rows.map(({ key }) => key) },
          { type: VARCHAR, values: rows.map(({ features }) => features) },
        ]);
        const found = await main.rows<{ place: number }>(this.#query);
        return found.map(({ place }) => rows[place]).filter((row) => row !== undefined);
      });
    } catch (error) {
      throw requestError(error);
    }
  }

  close(): void {
    this.#engine.close();
  }
}

async function plan(
  { main }: Engine,
  { model, sql, inputs }: { model: string; sql: string; inputs: readonly InputColumn[] },
): Promise<string> {
  const columns: SourceColumn[] = [
    { name: 'key', type: 'VARCHAR' },
    ...inputs.map(({ name, type }) => ({ name, type: TYPES[type] })),
  ];
  const shape = columns.map(({ name, type }) => `${identifier(name)} ${type}`);
  await main.run(`CREATE TABLE ${SHAPE} (${shape.join(', ')})`);
  await main.run('CREATE TABLE entities ("__row" INTEGER, "key" VARCHAR, features VARCHAR)');
  const { wrapped, type } = await checkAuthorSql(main, { pipeline: model, field: 'keys', sql }, columns);
  if (type !== 'BOOLEAN') {
    const message = `must be true or false for each entity, but is of the type ${type}`;
    throw new InvalidRequestError(`keys ${message}.`, [{ path: 'keys', message }]);
  }
  const form = JSON.stringify(
    Object.fromEntries(
      inputs.map((input) => [input.name, input.type === 'timestamp' ? 'BIGINT' : TYPES[input.type]]),
    ),
  );
  const values = inputs.map((input) => {
    const value = `entity.${identifier(input.name)}`;
    return `${input.type === 'timestamp' ? `make_timestamp_ms(${value})` : value} AS ${identifier(input.name)}`;
  });
  return `SELECT "__row" AS place FROM (
      SELECT ${['"__row"', '"key"', ...values].join(', ')} FROM (
        SELECT "__row", "key", from_json(features, ${literal(form)}) AS entity FROM entities))
    WHERE ${wrapped} ORDER BY 1`;
}

async function inTime<Result>(engine: Engine, work: () => Promise<Result>): Promise<Result> {
  const timer = setTimeout(() => engine.interrupt(), LONGEST_MILLISECONDS).unref();
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrong with the condition is wrong with the request. */
function requestError(error: unknown): unknown {
  if (error instanceof PipelineInvalidError) {
    const [issue] = error.issues;
    return new InvalidRequestError(`keys ${issue?.message ?? 'is not a condition'}.`, [...error.issues]);
  }
  if (!(error instanceof QueryFailedError)) return error;
  const message = `cannot be evaluated: ${error.reason}`;
  return new InvalidRequestError(`keys ${message}`, [{ path: 'keys', message }]);
}
