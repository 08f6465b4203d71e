import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema, textSchema } from './names.ts';
import { roleSchema } from './roles.ts';

const models = z.array(nameSchema).min(1).max(100);

/** What a token is asked for with. */
export const tokenRequestSchema = z.strictObject({
  /** For people: `airline app`, `nightly report`. Stands in events and audit as `token:<name>`; of live tokens each has its own. */
  name: z
    .string()
    .regex(
      /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,62}$/u,
      'must be 1 to 63 letters, digits, spaces, dots, hyphens, @ or _',
    ),
  roles: z.array(roleSchema).min(1),
  /** Only these models (and the pipelines of their names); absent: all. */
  models: models.optional(),
  /** Absent: it does not expire. */
  expiresAt: instantSchema.optional(),
  /** Requests a minute; absent: the installation's. */
  requestsPerMinute: z.int().min(1).max(10_000_000).optional(),
});
export type TokenRequest = z.infer<typeof tokenRequestSchema>;

/** A token as it may be shown: never the secret, of which only the hash is kept. */
export const tokenSchema = z.strictObject({
  id: idSchema('token'),
  name: z.string(),
  roles: z.array(roleSchema),
  models: z.array(nameSchema).nullable(),
  requestsPerMinute: z.int().nullable(),
  createdBy: z.string(),
  createdAt: instantSchema,
  expiresAt: instantSchema.nullable(),
  revokedAt: instantSchema.nullable(),
  /** To the minute. */
  lastUsedAt: instantSchema.nullable(),
});
export type Token = z.infer<typeof tokenSchema>;

/** With the secret, which is shown this once: `perennial_` and 43 characters of base64url. */
export const createdTokenSchema = tokenSchema.extend({ secret: z.string() });
export type CreatedToken = z.infer<typeof createdTokenSchema>;

/** Who the caller is and what it may do. */
export const principalSchema = z.strictObject({
  /** As it stands in events and audit: `local`, `token:airline app`, `user:ada@example.org`. */
  name: z.string(),
  roles: z.array(roleSchema),
  /** Null: all. */
  models: z.array(nameSchema).nullable(),
});
export type PrincipalView = z.infer<typeof principalSchema>;

/** Sign-in of the browser by a token; the answer sets the session's cookie. */
export const sessionRequestSchema = z.strictObject({ token: textSchema({ min: 1, max: 500 }) });

export const sessionSchema = z.strictObject({
  principal: principalSchema,
  expiresAt: instantSchema.nullable(),
  /** Whether sign-in by OpenID Connect is set up. */
  openId: z.boolean(),
});
export type Session = z.infer<typeof sessionSchema>;
