import { DAY_MILLISECONDS } from '@perennial/contract';
import {
  DatabaseError,
  ensurePredictionPartitions,
  translateDatabaseError,
  type Database,
} from '@perennial/storage';
import { dayOfRecord } from '../journal/prediction-record.ts';

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
 * The sink into the table `predictions`. The records go as one JSON text and are taken apart by the database, which leaves this process,
 * busy with predictions, nothing to parse.
 */
export function createPredictionSink({ sql }: Pick<Database, 'sql'>): PredictionSink {
  const knownDays = new Set<number>();
  const insert = async (records: readonly string[]) => {
    await ensureDays(sql, records, knownDays);
    await insertRecords(sql, records);
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
