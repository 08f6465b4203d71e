import { createTableRelationsHelpers, extractTablesRelationalConfig } from 'drizzle-orm';
import type { Assume, ExtractTablesWithRelations, RelationalSchemaConfig } from 'drizzle-orm';
import { NoopCache } from 'drizzle-orm/cache/core';
import { PgDatabase, PgDialect, PgSession, PgTransaction } from 'drizzle-orm/pg-core';
import type { PgQueryResultHKT, PgTransactionConfig } from 'drizzle-orm/pg-core';
import { NodePgPreparedQuery } from 'drizzle-orm/node-postgres/session';
import { NoopLogger } from 'drizzle-orm';
import { nestBuffer } from './audit-buffer.ts';
import * as schema from './schema.ts';
import type { Rows, Statement, StatementRunner } from './statement-runner.ts';
import { rethrowDatabaseError } from './translate-error.ts';

type Schema = typeof schema;
type Relations = ExtractTablesWithRelations<Schema>;
type SchemaConfig = RelationalSchemaConfig<Relations>;

/** What a statement without a mapping gives: its rows. */
export interface RowsKind extends PgQueryResultHKT {
  type: Rows<Assume<this['row'], Record<string, unknown>>>;
}

/** The tables as drizzle. */
export type Orm = PgDatabase<RowsKind, Schema>;

/** A drizzle transaction. */
export type Transaction = PgTransaction<RowsKind, Schema, Relations>;

type Work<Result> = (tx: Transaction) => Promise<Result>;

/**
 * drizzle over our own runner of statements. Its own session for node-postgres throws its own errors around the driver's, hides the first error of a transaction
 * behind that of the rollback when the connection is lost, and takes a `commit` that PostgreSQL answered with a rollback for success.
 */
export function createOrm(runner: StatementRunner): Orm {
  const { tables, tableNamesMap } = extractTablesRelationalConfig(schema, createTableRelationsHelpers);
  const config = { fullSchema: schema, schema: tables as Relations, tableNamesMap };
  const dialect = new PgDialect();
  return new PgDatabase(dialect, new RunnerSession({ runner, dialect, config }), config) as unknown as Orm;
}

/** What a session and the transactions in it share. */
interface Context {
  runner: StatementRunner;
  dialect: PgDialect;
  config: SchemaConfig;
}

class RunnerSession extends PgSession<RowsKind, Schema, Relations> {
  readonly #context: Context;

  constructor(context: Context) {
    super(context.dialect);
    this.#context = context;
  }

  override prepareQuery: PgSession<RowsKind, Schema, Relations>['prepareQuery'] = (...query) => {
    const [{ sql, params }, fields, name, arrays, mapRows, metadata, cache] = query;
    const prepared = new NodePgPreparedQuery(
      clientOf(this.#context.runner),
      sql,
      params,
      new NoopLogger(),
      new NoopCache(),
      metadata,
      cache,
      fields,
      name,
      arrays,
      mapRows,
    );
    const execute = prepared.execute.bind(prepared);
    prepared.execute = (values) => execute(values).catch(rethrowDatabaseError);
    return prepared;
  };

  override transaction<Result>(work: Work<Result>, config: PgTransactionConfig = {}): Promise<Result> {
    return this.#context.runner.begin((runner) => {
      return work(new RunnerTransaction({ ...this.#context, runner }));
    }, transactionMode(config));
  }
}

class RunnerTransaction extends PgTransaction<RowsKind, Schema, Relations> {
  readonly #context: Context;

  constructor(context: Context) {
    super(context.dialect, new RunnerSession(context), context.config);
    this.#context = context;
  }

  override transaction<Result>(work: Work<Result>): Promise<Result> {
    return this.#context.runner.begin((runner) => {
      const inner = new RunnerTransaction({ ...this.#context, runner });
      return nestBuffer({ outer: this, inner }, () => work(inner));
    });
  }
}

/** As much of node-postgres' client as drizzle's prepared query uses. The types are ours, not the ones that drizzle sends along. */
function clientOf(runner: StatementRunner): never {
  const query = ({ text, rowMode }: Statement, values: unknown[]) => runner.run({ text, values, rowMode });
  return { query } as never;
}

function transactionMode({ isolationLevel, accessMode, deferrable }: PgTransactionConfig): string {
  const parts = [
    isolationLevel === undefined ? '' : `isolation level ${isolationLevel}`,
    accessMode ?? '',
    deferrable === undefined ? '' : deferrable ? 'deferrable' : 'not deferrable',
  ];
  return parts.filter(Boolean).join(' ');
}
