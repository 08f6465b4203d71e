import { DAY_MILLISECONDS } from '@perennial/contract';
import {
  DatabaseError,
  UniqueViolationError,
  ensurePredictionPartitions,
  translateDatabaseError,
  type Database,
} from '@perennial/storage';
import { dayOfRecord } from '../journal/prediction-record.ts';
import { COPIED_COLUMNS, UnfamiliarRecordError, copyLines, instantOfRecord } from './copy-lines.ts';

/**
 * Puts records of the journal where they are kept, all or none of them. Offered again, records that are there already change nothing.
 * @throws RecordsRefusedError when the fault lies with the records, so that trying the same again cannot help
 */
export type PredictionSink = (records: readonly string[]) => Promise<void>;

/** At least one of the records cannot be stored, ever. */
export class RecordsRefusedError extends Error {
  constructor(options: { cause: unknown }) {
    super('The database refuses these records.', options);
    this.name = 'RecordsRefusedError';
  }
}

/** check_violation: how PostgreSQL says that a row fits no partition. */
const NO_PARTITION = '23514';

/**
 * The sink into the table `predictions`. Records are copied in (`copy … from stdin`), which is half the work for the database of any insertion. What that
 * cannot do is left to a statement that can: records that are there already, after a crash between commit and cursor, and records of keys that were erased
 * after they were made.
 */
export function createPredictionSink({ sql }: Pick<Database, 'sql'>): PredictionSink {
  const knownDays = new Set<number>();
  const insert = async (records: readonly string[]) => {
    await ensureDays(sql, records, knownDays);
    if (!(await copyRecords(sql, records))) await insertRecords(sql, records);
  };
  return async (records) => {
    try {
      await insert(records);
    } catch (error) {
      const translated = translateDatabaseError(error);
      if (!(translated instanceof DatabaseError)) throw translated;
      if (translated.sqlState !== NO_PARTITION) throw refusalOr(translated);
      // Retention dropped a partition since it was seen.
      knownDays.clear();
      await insert(records).catch((again: unknown) => {
        throw refusalOr(translateDatabaseError(again));
      });
    }
  };
}

async function ensureDays(
  sql: Database['sql'],
  records: readonly string[],
  known: Set<number>,
): Promise<void> {
  const missing = new Set<number>();
  for (const record of records) {
    const day = dayOfRecord(record);
    if (!known.has(day)) missing.add(day);
  }
  if (missing.size === 0) return;
  await ensurePredictionPartitions(sql, [...missing].map(calendarDay));
  for (const day of missing) known.add(day);
}

function calendarDay(day: number): string {
  return new Date(day * DAY_MILLISECONDS).toISOString().slice(0, 10);
}

/** Copies records in, all or none; answers whether it could. */
async function copyRecords(sql: Database['sql'], records: readonly string[]): Promise<boolean> {
  try {
    return await sql.begin(async (tx) => {
      // Erasing a key waits for who holds this, and whoever comes after it sees the key.
      await tx`lock table only predictions in row exclusive mode`;
      if (await mayBeErased(tx, records)) return false;
      await tx.copy(`copy predictions (${COPIED_COLUMNS}) from stdin`, copyLines(records));
      return true;
    });
  } catch (error) {
    if (error instanceof UniqueViolationError || error instanceof UnfamiliarRecordError) return false;
    throw error;
  }
}

/** Whether a key was erased after the oldest of the records was made: only then may one of them be of such a key. */
async function mayBeErased(sql: Database['sql'], records: readonly string[]): Promise<boolean> {
  let oldest = '9';
  for (const record of records) {
    const at = instantOfRecord(record);
    if (at < oldest) oldest = at;
  }
  const [row] = await sql<{ found: boolean }[]>`
    select exists (select from erased_keys where erased_at >= ${oldest}::timestamptz) as found`;
  return row?.found ?? true;
}

/** A record of a key that was erased after it was written is not stored: a journal, here or on another machine, may hold it still. */
async function insertRecords(sql: Database['sql'], records: readonly string[]): Promise<void> {
  // Through text: as a json parameter the driver would encode the text once more.
  await sql`
    insert into predictions (id, model, version, endpoint, key, features, output, mode, latency_microseconds, at)
    select r.id, r.model, r.version, r.endpoint, r.key, r.features, r.output, r.mode, r."latencyMicroseconds", r.at
    from json_to_recordset(${`[${records.join(',')}]`}::text::json) as r(
      id uuid, model text, version integer, endpoint text, key text, features jsonb, output jsonb, mode text,
      "latencyMicroseconds" integer, at timestamptz)
    where r.key is null or not exists (
      select from erased_keys e where e.key_hash = encode(sha256(convert_to(r.key, 'UTF8')), 'hex') and r.at <= e.erased_at)
    on conflict do nothing`;
}

/**
 * SQLSTATE classes 22 (data exception), 23 (integrity constraint violation) and 54 (program limit exceeded) speak of the rows. Anything
 * else speaks of the statement or the server, may be cured from outside, and must not cost a record.
 */
function refusalOr(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  return /^(22|23|54)/.test(error.sqlState) ? new RecordsRefusedError({ cause: error }) : error;
}
