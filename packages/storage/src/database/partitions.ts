import { sql as statement } from 'drizzle-orm';
import { DAY_MILLISECONDS } from '@perennial/contract';
import type { Orm } from './orm.ts';
import type { Sql } from './sql.ts';

/** Key of the lock that making partitions holds; any constant that nothing else of ours uses. */
const PARTITION_LOCK = 7_300_214_002;

/**
 * Makes the partitions of `predictions` for the given days (`YYYY-MM-DD`, UTC) where they are missing. Safe under concurrency, and cheap when nothing
 * is missing: one look into the catalogue. A day's partition holds the ids whose UUIDv7 time is in that day.
 *
 * A table is made and then attached, since `create table … partition of` would lock all predictions against reading and writing while it runs;
 * attaching does not (PostgreSQL manual, "Partition maintenance").
 * @returns the days that were made
 */
export async function ensurePredictionPartitions(sql: Sql, days: Iterable<string>): Promise<string[]> {
  const wanted = [...new Set(days)].sort();
  if (wanted.length === 0) return [];
  if ((await missingDays(sql, wanted)).length === 0) return [];
  return sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${PARTITION_LOCK})`;
    const missing = await missingDays(tx, wanted);
    for (const day of missing) await tx.unsafe(partitionStatements(day));
    return missing;
  });
}

/** Name of the partition of a day: `predictions_20010131`. */
export function predictionPartition(day: string): string {
  return `predictions_${day.replaceAll('-', '')}`;
}

/**
 * The smallest UUID that a UUIDv7 of this instant or later can be: its 48 bits of milliseconds (RFC 9562, section 5.7), and zeros. Ids below it
 * are older, so it also serves as a bound in queries, which then read the partitions they need and no other.
 */
export function smallestUuidAt(instant: Date): string {
  const hex = instant.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** A day of predictions. */
export interface PredictionPartition {
  day: string;
  /** As the database estimates; counted where it has not looked yet. */
  rows: number;
  /** On the disk, indexes included. */
  bytes: number;
}

type Runner = Pick<Orm, 'execute'>;

/** The days that there are partitions of, oldest first. */
export async function listPredictionPartitions(db: Runner): Promise<PredictionPartition[]> {
  const found = await db.execute<{ name: string; rows: string; bytes: string }>(statement`
    select c.relname as name, c.reltuples::bigint as rows, pg_total_relation_size(c.oid) as bytes
    from pg_class c join pg_inherits on inhrelid = c.oid
    where inhparent = 'predictions'::regclass and c.relname ~ '^predictions_[0-9]{8}$' order by c.relname`);
  const partitions = [];
  for (const { name, rows, bytes } of found) {
    const digits = name.slice('predictions_'.length);
    const day = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
    partitions.push({
      day,
      rows: Number(rows) < 0 ? await count(db, name) : Number(rows),
      bytes: Number(bytes),
    });
  }
  return partitions;
}

async function count(db: Runner, name: string): Promise<number> {
  const [row] = await db.execute<{ rows: string }>(
    statement`select count(*) as rows from ${statement.identifier(name)}`,
  );
  return Number(row?.rows ?? 0);
}

/** Ids of the predictions of a day: from the first, up to and without the second. */
export function predictionIdsOf(day: string): { from: string; to: string } {
  const start = dayStart(day);
  return {
    from: smallestUuidAt(start),
    to: smallestUuidAt(new Date(start.getTime() + DAY_MILLISECONDS)),
  };
}

/** Longest that a partition to be dropped waits for those who read it. All who come to `predictions` after it wait with it, shipping among them. */
const LOCK_TIMEOUT = '2s';

/**
 * Drops a day's predictions, in the caller's transaction. A record of that day that is shipped later makes the partition anew.
 * @returns false when there is no such partition
 * @throws TransactionConflictError when somebody reads it all the time
 */
export async function dropPredictionPartition(tx: Runner, day: string): Promise<boolean> {
  dayStart(day);
  await tx.execute(statement`select pg_advisory_xact_lock(${PARTITION_LOCK})`);
  const name = predictionPartition(day);
  const [found] = await tx.execute<{ name: string | null }>(
    statement`select to_regclass(${name})::text as name`,
  );
  if (!found?.name) return false;
  await tx.execute(statement.raw(`set local lock_timeout = '${LOCK_TIMEOUT}'`));
  await tx.execute(statement.raw(`alter table predictions detach partition ${name}`));
  await tx.execute(statement.raw(`drop table ${name}`));
  return true;
}

async function missingDays(sql: Sql, days: string[]): Promise<string[]> {
  const rows = await sql<{ relname: string }[]>`
    select relname from pg_class join pg_inherits on inhrelid = pg_class.oid
    where inhparent = 'predictions'::regclass and relname = any(${days.map(predictionPartition)})`;
  const found = new Set(rows.map((row) => row.relname));
  return days.filter((day) => !found.has(predictionPartition(day)));
}

function partitionStatements(day: string): string {
  const { from, to } = predictionIdsOf(day);
  const name = predictionPartition(day);
  return `
    create table ${name} (like predictions including all);
    alter table predictions attach partition ${name} for values from ('${from}') to ('${to}');`;
}

/** The text goes into a statement, so it must be a day and nothing else. */
function dayStart(day: string): Date {
  const start = new Date(`${day}T00:00:00.000Z`);
  if (Number.isNaN(start.getTime()) || start.toISOString().slice(0, 10) !== day) {
    throw new RangeError(`Not a day: ${JSON.stringify(day)}.`);
  }
  return start;
}
