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

/** An instant in ISO 8601 with a zone, as it crosses the wire. */
export const instantSchema = z.iso.datetime({ offset: true });

/** A calendar day in UTC, `YYYY-MM-DD`. */
export const daySchema = z.iso.date();
