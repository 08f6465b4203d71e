import { DAY_MILLISECONDS } from '@perennial/contract';
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

async function missingDays(sql: Sql, days: string[]): Promise<string[]> {
  const rows = await sql<{ relname: string }[]>`
    select relname from pg_class join pg_inherits on inhrelid = pg_class.oid
    where inhparent = 'predictions'::regclass and relname = any(${days.map(predictionPartition)})`;
  const found = new Set(rows.map((row) => row.relname));
  return days.filter((day) => !found.has(predictionPartition(day)));
}

function partitionStatements(day: string): string {
  const start = dayStart(day);
  const from = smallestUuidAt(start);
  const to = smallestUuidAt(new Date(start.getTime() + DAY_MILLISECONDS));
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
