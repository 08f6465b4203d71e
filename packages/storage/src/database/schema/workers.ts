import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from '../columns.ts';

/**
 * The workers that take jobs, each with the last time it showed life by the database's clock. A job of a worker that is silent is given to
 * another; graphile-worker alone would wait four hours.
 */
export const workerHeartbeats = pgTable('worker_heartbeats', {
  /** The name that graphile-worker locks jobs with. */
  worker: text().primaryKey(),
  pid: integer().notNull(),
  /** Start of the process and its machine: a pid alone does not name a process. */
  processStartedAt: text('process_started_at').notNull(),
  machine: text().notNull(),
  seenAt: instant('seen_at').notNull(),
});
