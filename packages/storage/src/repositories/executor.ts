import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { RowsKind } from '../database/orm.ts';
import type * as schema from '../database/schema.ts';

/** Where statements run: the database itself or a transaction on it. */
export type Executor = PgDatabase<RowsKind, typeof schema>;
