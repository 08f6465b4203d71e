import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import type * as schema from '../database/schema.ts';

/** Where statements run: the database itself or a transaction on it. */
export type Executor = PgDatabase<PostgresJsQueryResultHKT, typeof schema>;
