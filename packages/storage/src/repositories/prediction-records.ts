import { sql } from 'drizzle-orm';
import type { Executor } from './executor.ts';

/**
 * Puts predictions on record in the caller's transaction, for what answers in a transaction and not by way of a journal. Records that are there already change nothing; one of
 * a key that was erased after it is not stored. The partitions of their days must be there (`ensurePredictionPartitions`).
 * @param records as the journal holds them: JSON, one a record
 */
export async function insertPredictionRecords(tx: Executor, records: readonly string[]): Promise<void> {
  if (records.length === 0) return;
  await tx.execute(sql`
    insert into predictions (id, model, version, endpoint, key, features, output, mode, latency_microseconds, at)
    select r.id, r.model, r.version, r.endpoint, r.key, r.features, r.output, r.mode, r."latencyMicroseconds", r.at
    from json_to_recordset(${`[${records.join(',')}]`}::text::json) as r(
      id uuid, model text, version integer, endpoint text, key text, features jsonb, output jsonb, mode text,
      "latencyMicroseconds" integer, at timestamptz)
    where r.key is null or not exists (
      select from erased_keys e where e.key_hash = encode(sha256(convert_to(r.key, 'UTF8')), 'hex') and r.at <= e.erased_at)
    on conflict do nothing`);
}
