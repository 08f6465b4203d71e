import { sql } from 'drizzle-orm';
import { customType, timestamp } from 'drizzle-orm/pg-core';

/** A point in time: UTC, to the millisecond, which is what a JavaScript date holds. */
export const instant = (name = '') => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

/**
 * A `jsonb` column that gives back what was put in. drizzle's own hands the driver a JSON text where others encode a second time (drizzle-orm#5139), and parses
 * what the driver has parsed already, so that the JSON string `"123"` comes back as the number 123. Here the driver's single parse is the last word.
 */
export const jsonb = customType<{ data: unknown; driverData: unknown }>({
  dataType: () => 'jsonb',
  toDriver: (value) => sql`${JSON.stringify(value)}::text::jsonb`,
});
