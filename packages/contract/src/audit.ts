import { z } from 'zod';
import { digestSchema, instantSchema } from './names.ts';

/** What may be changed, as `<noun>.<verb>`; one word for UI, CLI, token and scheduler. */
export const AUDIT_ACTIONS = [
  'alias.moved',
  'alias.removed',
  'backfill.resumed',
  'backfill.started',
  'backfill.stopped',
  'batch.cancelled',
  'batch.started',
  'data.erased',
  'data.exported',
  'endpoint.changed',
  'model.changed',
  'model.created',
  'model.tagged',
  'model.untagged',
  'precomputation.cancelled',
  'precomputation.started',
  'release.approved',
  'release.commented',
  'release.live',
  'release.overridden',
  'release.rejected',
  'release.requested',
  'release.restored',
  'release.rolled-back',
  'release.superseded',
  'reproduction.started',
  'retention.applied',
  'retention.changed',
  'run.cancelled',
  'run.started',
  'session.opened',
  'session.closed',
  'signing-key.added',
  'token.created',
  'token.revoked',
  'version.changed',
  'version.registered',
  'version.signed',
  'version.tagged',
  'version.untagged',
  'webhook.created',
  'webhook.deleted',
  'webhook.replayed',
] as const;
export const auditActionSchema = z.enum(AUDIT_ACTIONS);
export type AuditAction = z.infer<typeof auditActionSchema>;

/**
 * One change: who, when, what, why, from where. Entries are chained: each holds the hash of the one before it, so that none can be changed, left out or
 * put in between without every later hash being wrong.
 */
export const auditEntrySchema = z.strictObject({
  /** From 1, without gaps. */
  sequence: z.int().positive(),
  at: instantSchema,
  by: z.string(),
  action: auditActionSchema,
  /** What was changed: `release:rel_…`, `model:flight-delay`, `version:flight-delay@12`. */
  subject: z.string(),
  /** Null where nobody gave a reason. */
  reason: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  /** Where it came from: a network address and request id, or `scheduler`, `worker`. */
  origin: z.string(),
  previousHash: digestSchema,
  /** SHA-256 of the canonical JSON of all the above. */
  hash: digestSchema,
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** The hash that the first entry follows. */
export const FIRST_AUDIT_HASH = `sha256:${'0'.repeat(64)}`;

export const auditVerificationSchema = z.strictObject({
  /** Entries that are as they were written, from the first on. */
  entries: z.int().nonnegative(),
  valid: z.boolean(),
  /** The hash of the newest of these: written down elsewhere, it also shows whether the end was cut off. */
  head: digestSchema,
  /** The first entry that is not as it was written, and what is wrong with it. */
  firstProblem: z.strictObject({ sequence: z.int(), problem: z.string() }).nullable(),
});
export type AuditVerification = z.infer<typeof auditVerificationSchema>;
