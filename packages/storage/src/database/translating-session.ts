import { createTableRelationsHelpers, extractTablesRelationalConfig } from 'drizzle-orm';
import type { ExtractTablesWithRelations, RelationalSchemaConfig } from 'drizzle-orm';
import { PgDialect, type PgTransactionConfig } from 'drizzle-orm/pg-core';
import { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { PostgresJsSession, PostgresJsTransaction } from 'drizzle-orm/postgres-js/session';
import type { Sql, TransactionSql } from 'postgres';
import * as schema from './schema.ts';
import { rethrowDatabaseError } from './translate-error.ts';

export type Schema = typeof schema;
type Relations = ExtractTablesWithRelations<Schema>;
type Work<Result> = (tx: PostgresJsTransaction<Schema, Relations>) => Promise<Result>;

/** The tables as drizzle, over a postgres.js client. */
export type Orm = PostgresJsDatabase<Schema>;

/** What every session of one database has in common. */
interface Common {
  dialect: PgDialect;
  schema: RelationalSchemaConfig<Relations>;
}

/**
 * drizzle over a client. Not made by drizzle's own factory, for two reasons: that one replaces the client's parsers and serializers, so that
 * plain `sql` would read timestamps as text and write JSON objects as `[object Object]`; and it throws its own error around the driver's,
 * where callers want {@link rethrowDatabaseError}'s.
 */
export function createOrm(client: Sql): Orm {
  const { tables, tableNamesMap } = extractTablesRelationalConfig(schema, createTableRelationsHelpers);
  const relations = { fullSchema: schema, schema: tables as Relations, tableNamesMap };
  const common: Common = { dialect: new PgDialect(), schema: relations };
  return new PostgresJsDatabase(common.dialect, new TranslatingSession(client, common), relations) as Orm;
}

class TranslatingSession<Client extends Sql> extends PostgresJsSession<Client, Schema, Relations> {
  readonly #common: Common;

  constructor(client: Client, common: Common) {
    super(client, common.dialect, common.schema);
    this.#common = common;
  }

  override prepareQuery: PostgresJsSession<Client, Schema, Relations>['prepareQuery'] = (...query) => {
    const prepared = super.prepareQuery(...query);
    const execute = prepared.execute.bind(prepared);
    prepared.execute = (values) => execute(values).catch(rethrowDatabaseError);
    return prepared as never;
  };

  override async transaction<Result>(work: Work<Result>, config?: PgTransactionConfig): Promise<Result> {
    const begun = this.client.begin(async (client) => {
      const tx = new TranslatingTransaction(client, this.#common);
      if (config) await tx.setTransaction(config);
      return work(tx);
    });
    return begun.catch(rethrowDatabaseError) as Promise<Result>;
  }
}

class TranslatingTransaction extends PostgresJsTransaction<Schema, Relations> {
  readonly #client: TransactionSql;
  readonly #common: Common;

  constructor(client: TransactionSql, common: Common) {
    super(common.dialect, sessionOf(client, common), common.schema);
    this.#client = client;
    this.#common = common;
  }

  override async transaction<Result>(work: Work<Result>): Promise<Result> {
    const nested = this.#client.savepoint((client) => work(new TranslatingTransaction(client, this.#common)));
    return nested.catch(rethrowDatabaseError) as Promise<Result>;
  }
}

/** drizzle's types tell the client of a transaction from that of a database; its session uses what both have. */
function sessionOf(client: TransactionSql, common: Common): never {
  return new TranslatingSession(client as unknown as Sql, common) as never;
}
