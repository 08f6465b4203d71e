import { z } from 'zod';
import { idSchema } from './ids.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import type { Transitions } from './state-machine.ts';

export const releaseStateSchema = z.enum([
  'pending',
  'approved',
  'live',
  'rejected',
  'rolled-back',
  'superseded',
]);
export type ReleaseState = z.infer<typeof releaseStateSchema>;
export type ReleaseTransition = 'approve' | 'reject' | 'promote' | 'supersede' | 'roll-back' | 'restore';

/**
 * A release that another one overtook before it went live is superseded too. `restore` makes a superseded release live again, when the one that
 * superseded it is rolled back.
 */
export const RELEASE_TRANSITIONS: Transitions<ReleaseState, ReleaseTransition> = {
  pending: { approve: 'approved', reject: 'rejected', supersede: 'superseded' },
  approved: { promote: 'live', reject: 'rejected', supersede: 'superseded' },
  live: { supersede: 'superseded', 'roll-back': 'rolled-back' },
  rejected: {},
  'rolled-back': {},
  superseded: { restore: 'live' },
};

/** One person's yes. It holds for the very artifact and gate report that it was given on, and until it expires. */
export const approvalSchema = z.strictObject({
  by: z.string(),
  at: instantSchema,
  comment: z.string(),
  artifact: digestSchema,
  /** Digest of the gate report's canonical JSON; null where an imported version has none. */
  gateReport: digestSchema.nullable(),
  expiresAt: instantSchema,
});
export type Approval = z.infer<typeof approvalSchema>;

export const releaseSchema = z.strictObject({
  id: idSchema('release'),
  model: nameSchema,
  version: z.int(),
  state: releaseStateSchema,
  /** Whether an admin lets it through although the gate did not. */
  override: z.boolean(),
  requestedBy: z.string(),
  requestedAt: instantSchema,
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
  updatedAt: instantSchema,
  /** Different people that must approve; 0 where the policy does. */
  approvers: z.int().nonnegative(),
  /** Those that hold at this moment. */
  approvals: z.array(approvalSchema),
});
export type Release = z.infer<typeof releaseSchema>;

/** A fact of a release's history, oldest first: a transition, an approval that was not the last one needed, a comment. */
export const releaseEventSchema = z.strictObject({
  sequence: z.int().positive(),
  at: instantSchema,
  type: z.enum([
    'request',
    'approval',
    'comment',
    'approve',
    'reject',
    'promote',
    'supersede',
    'roll-back',
    'restore',
  ]),
  state: releaseStateSchema,
  by: z.string(),
  reason: z.string(),
});
export type ReleaseEvent = z.infer<typeof releaseEventSchema>;

/** Aliases every model may have; others may be named freely. */
export const CHAMPION = 'champion';
export const CHALLENGER = 'challenger';

export const aliasSchema = z.strictObject({
  model: nameSchema,
  alias: nameSchema,
  version: z.int(),
  /** Grows by one with each move; a move names the revision it was decided on (compare and set). */
  revision: z.int(),
  updatedAt: instantSchema,
});
export type Alias = z.infer<typeof aliasSchema>;

export const aliasMoveSchema = z.strictObject({
  alias: nameSchema,
  /** Null where the alias was removed. */
  version: z.int().nullable(),
  previousVersion: z.int().nullable(),
  revision: z.int(),
  /** When it took effect. */
  at: instantSchema,
  /** When it was written down, by the database's clock. */
  recordedAt: instantSchema,
  by: z.string(),
  reason: z.string(),
  release: idSchema('release').nullable(),
});
export type AliasMove = z.infer<typeof aliasMoveSchema>;
