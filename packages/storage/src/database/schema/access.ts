import { sql } from 'drizzle-orm';
import { bigint, index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { AuditAction, Role } from '@perennial/contract';
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

/** Tokens that callers show. Of the secret only the hash is kept. */
export const tokens = pgTable(
  'tokens',
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    /** SHA-256 of the whole token, in hexadecimal. */
    hash: text().notNull().unique(),
    roles: jsonb().$type<Role[]>().notNull(),
    /** Null: every model. */
    models: jsonb().$type<string[]>(),
    /** Null: the installation's. */
    requestsPerMinute: integer('requests_per_minute'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
    /** To the minute, written when there is time. */
    lastUsedAt: instant('last_used_at'),
  },
  (table) => [
    /** Events and audit name a token by its name, so two that may be used at once never share one. */
    uniqueIndex('tokens_one_live_name')
      .on(table.name)
      .where(sql`${table.revokedAt} is null`),
  ],
);

/** Browsers that are signed in. Of the cookie's value only the hash is kept. */
export const sessions = pgTable(
  'sessions',
  {
    /** SHA-256 of the cookie's value, in hexadecimal. */
    hash: text().primaryKey(),
    principal: text().notNull(),
    roles: jsonb().$type<Role[]>().notNull(),
    models: jsonb().$type<string[]>(),
    /** SHA-256 of the token it was opened with, with which it ends; null where an identity provider vouched. */
    tokenHash: text('token_hash'),
    openedAt: instant('opened_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    endedAt: instant('ended_at'),
  },
  (table) => [index('sessions_by_expiry').on(table.expiresAt)],
);

/** Every change, chained by hashes; rows are added and never changed, which triggers hold. */
export const auditEntries = pgTable(
  'audit_entries',
  {
    /** From 1, without gaps. */
    sequence: bigint({ mode: 'number' }).primaryKey(),
    at: instant().notNull(),
    by: text().notNull(),
    action: text().$type<AuditAction>().notNull(),
    subject: text().notNull(),
    reason: text(),
    details: jsonb().$type<Record<string, unknown>>().notNull(),
    origin: text().notNull(),
    previousHash: text('previous_hash').notNull(),
    hash: text().notNull(),
  },
  (table) => [
    index('audit_entries_by_subject').on(table.subject, table.sequence.desc()),
    index('audit_entries_by_action').on(table.action, table.sequence.desc()),
    index('audit_entries_by_person').on(table.by, table.sequence.desc()),
    index('audit_entries_by_time').on(table.at),
  ],
);
