import { sql } from 'drizzle-orm';
import { customType } from 'drizzle-orm/pg-core';

/**
 * A `jsonb` column that gives back what was put in. drizzle's own hands the driver a JSON text where others encode a second time (drizzle-orm#5139), and parses
 * what the driver has parsed already, so that the JSON string `"123"` comes back as the number 123. Here the driver's single parse is the last word.
 */
export const jsonb = customType<{ data: unknown; driverData: unknown }>({
  dataType: () => 'jsonb',
  toDriver: (value) => sql`${JSON.stringify(value)}::text::jsonb`,
});
