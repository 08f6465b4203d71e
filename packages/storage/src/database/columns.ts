import { sql, type SQL } from 'drizzle-orm';
import { customType } from 'drizzle-orm/pg-core';

/**
 * A `jsonb` column that gives back what was put in. drizzle's own hands postgres.js a text that is encoded a second time (the column then
 * holds a JSON string, drizzle-orm#5139), and reads the JSON string `"123"` as the number 123. Here the text is cast on the server, and the
 * driver's single parse is the last word.
 */
export const jsonb = customType<{ data: unknown; driverData: SQL | unknown }>({
  dataType: () => 'jsonb',
  toDriver: (value) => sql`${JSON.stringify(value)}::text::jsonb`,
});
