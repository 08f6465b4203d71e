import { sql, type SQL } from 'drizzle-orm';

/** That what happened at an instant, about an entity of a key, was not erased since. */
export function notErased(key: SQL, at: SQL): SQL {
  return sql`not exists (
    select from erased_keys e where e.key_hash = encode(sha256(convert_to(${key}, 'UTF8')), 'hex') and ${at} <= e.erased_at)`;
}
