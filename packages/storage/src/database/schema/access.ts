import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, jsonb } from '../columns.ts';

/** The answer a request with an `Idempotency-Key` had, so that its repetition has the same. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    caller: text().notNull(),
    key: text().notNull(),
    /** Digest of route and body: the same key with another request is refused. */
    requestDigest: text('request_digest').notNull(),
    /** Null while the first request is still being worked on. */
    status: integer(),
    response: jsonb().$type<unknown>(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.caller, table.key] })],
);
