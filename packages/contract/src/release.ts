import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema } from './names.ts';
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
export type ReleaseTransition = 'approve' | 'reject' | 'promote' | 'supersede' | 'roll-back';

/** A release that another one overtook before it went live is superseded too. */
export const RELEASE_TRANSITIONS: Transitions<ReleaseState, ReleaseTransition> = {
  pending: { approve: 'approved', reject: 'rejected', supersede: 'superseded' },
  approved: { promote: 'live', reject: 'rejected', supersede: 'superseded' },
  live: { supersede: 'superseded', 'roll-back': 'rolled-back' },
  rejected: {},
  'rolled-back': {},
  superseded: {},
};

export const releaseSchema = z.strictObject({
  id: idSchema('release'),
  model: nameSchema,
  version: z.int(),
  state: releaseStateSchema,
  requestedBy: z.string(),
  requestedAt: instantSchema,
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
  updatedAt: instantSchema,
});
export type Release = z.infer<typeof releaseSchema>;

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
  version: z.int(),
  previousVersion: z.int().nullable(),
  revision: z.int(),
  at: instantSchema,
  by: z.string(),
  reason: z.string(),
  release: idSchema('release').nullable(),
});
export type AliasMove = z.infer<typeof aliasMoveSchema>;
