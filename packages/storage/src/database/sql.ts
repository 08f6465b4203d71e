import { escapeIdentifier } from 'pg';
import type { Rows, StatementRunner } from './statement-runner.ts';

/** A name in a statement: a table, a column, a database. */
export class Identifier {
  constructor(readonly name: string) {}
}

/** A value in a statement that is written as JSON. */
export class JsonValue {
  constructor(readonly text: string) {}
}

/** What may stand in a statement. Everything but a name travels beside the text, never in it. */
export type SqlValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | null
  | JsonValue
  | Identifier
  | readonly SqlValue[];

type AnyRow = Record<string, unknown>;
type RowsOf<Result extends readonly object[]> = Rows<Result[number]>;

/**
 * Statements in SQL, for what drizzle has no word for: ``await sql<{ day: string }[]>`select … where model = ${model}` ``.
 *
 * `timestamptz` is a `Date`, `date` and `timestamp` are texts, `bigint` and `numeric` are texts, `json` and `jsonb` are parsed; JSON is written with
 * `sql.json(value)`, or as `${text}::jsonb`. Errors are ours.
 */
export interface Sql {
  <Result extends readonly object[] = AnyRow[]>(
    text: TemplateStringsArray,
    ...values: SqlValue[]
  ): Promise<RowsOf<Result>>;
  /** A name to put into a statement. */
  (identifier: string): Identifier;
  json(value: unknown): JsonValue;
  /** A text as it is, with `$1`, `$2`, … for the values. Without values it may hold several statements. */
  unsafe<Result extends readonly object[] = AnyRow[]>(
    text: string,
    values?: readonly SqlValue[],
  ): Promise<RowsOf<Result>>;
  /** Runs the work in a transaction; in one, under a savepoint. */
  begin<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  notify(channel: string, payload: string): Promise<void>;
  /**
   * Runs a `copy … from stdin` with what the chunks hold, which are made while the database works on those before; answers how many rows there were.
   * A statement that fails has copied none; when making a chunk fails, it fails with that error.
   */
  copy(text: string, chunks: AsyncIterable<Buffer>): Promise<number>;
}

export function createSql(runner: StatementRunner): Sql {
  function tag(text: TemplateStringsArray | string, ...values: SqlValue[]): unknown {
    return typeof text === 'string' ? new Identifier(text) : runner.run(compile(text, values));
  }
  return Object.assign(tag as Pick<Sql, never> & typeof tag, {
    json: (value: unknown) => new JsonValue(JSON.stringify(value)),
    unsafe: (text: string, values?: readonly SqlValue[]) =>
      runner.run(values === undefined ? { text } : { text, values: values.map(parameter) }),
    begin: <Result>(work: (sql: Sql) => Promise<Result>) => runner.begin((inner) => work(createSql(inner))),
    copy: (text: string, chunks: AsyncIterable<Buffer>) => runner.copy(text, chunks),
    notify: async (channel: string, payload: string) => {
      await runner.run({ text: 'select pg_notify($1, $2)', values: [channel, payload] });
    },
  }) as Sql;
}

function compile(strings: TemplateStringsArray, given: SqlValue[]): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const parts = given.map((value, i) => {
    const placed =
      value instanceof Identifier ? escapeIdentifier(value.name) : `$${values.push(parameter(value))}`;
    return `${placed}${strings[i + 1] ?? ''}`;
  });
  return { text: `${strings[0] ?? ''}${parts.join('')}`, values };
}

/**
 * As node-postgres takes it.
 * @throws TypeError for what is no value: it would silently become NULL, or JSON
 */
function parameter(value: SqlValue): unknown {
  if (value instanceof JsonValue) return value.text;
  if (Array.isArray(value)) return (value as readonly SqlValue[]).map(parameter);
  if (value === null || value instanceof Date || value instanceof Uint8Array) return value;
  if (typeof value === 'object' || typeof value === 'undefined' || typeof value === 'function') {
    throw new TypeError(`Not a value for a statement: ${Object.prototype.toString.call(value)}.`);
  }
  return value;
}
