import { z } from 'zod';

/**
 * Names of pipelines, models, endpoints and aliases: lower case, digits and hyphens, 63 characters at most. One pattern for
 * all, so that a name is always safe in a URL, a label and a log line; no name ever becomes a path.
 */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,62}$/,
    'must be 1 to 63 lower-case letters, digits or hyphens, beginning with a letter',
  );

/** Names of features: an identifier, since they become tensor names. */
export const featureNameSchema = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    'must be an identifier of at most 63 letters, digits or underscores',
  );

/** Names of columns in a source: anything printable, since they are not ours. */
export const columnNameSchema = z
  .string()
  .regex(/^[^\p{Cc}]{1,128}$/u, 'must be 1 to 128 characters without control characters');

/** A sha-256 content address: `sha256:` and 64 hexadecimal digits. */
export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<64 hexadecimal digits>');
export type Digest = z.infer<typeof digestSchema>;

/**
 * Text that can be kept: PostgreSQL holds neither NUL nor a surrogate without its partner, so a text with one could never be put on record.
 */
export function textSchema({ min = 0, max }: { min?: number; max: number }) {
  return z
    .string()
    .min(min)
    .max(max)
    .regex(/^[^\0\p{Surrogate}]*$/u, 'must be text without NUL characters and unpaired surrogates');
}

/** Years that ISO 8601 writes with four digits and PostgreSQL reads back. */
const FIRST_INSTANT = Date.parse('0001-01-01T00:00:00Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');

/** An instant in ISO 8601 with a zone, as it crosses the wire; of the years 1 to 9999 in UTC. */
export const instantSchema = z.iso
  .datetime({
    offset: true,
    error: 'must be an instant in ISO 8601 with a zone, such as 2001-03-01T00:00:00Z',
    abort: true,
  })
  .refine((text) => Date.parse(text) >= FIRST_INSTANT && Date.parse(text) <= LAST_INSTANT, {
    error: 'must be of the years 1 to 9999 in UTC',
  });

/** A calendar day in UTC, `YYYY-MM-DD`, from 1970 on: nothing that is counted by day can be older, since UUIDv7 begins there. */
export const daySchema = z.iso
  .date({ error: 'must be a day such as 2001-03-01', abort: true })
  .refine((day) => day >= '1970' && day < '9999', { error: 'must be of the years 1970 to 9998' });
