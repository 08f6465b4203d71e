import { inArray } from 'drizzle-orm';
import type { Approval } from '@perennial/contract';
import { approvals } from '../database/schema.ts';
import type { Executor } from './executor.ts';

export type ApprovalRow = typeof approvals.$inferSelect;

export interface NewApproval {
  /** Plain id. */
  releaseId: string;
  by: string;
  at: Date;
  comment: string;
  artifactDigest: string;
  /** Null where an imported version has none. */
  gateReportDigest: string | null;
  expiresAt: Date;
}

/** Writes down one person's yes; a new one takes the place of what the same person said before. Every one stays in the release's events. */
export async function saveApproval(tx: Executor, approval: NewApproval): Promise<void> {
  const { releaseId, by, ...said } = approval;
  await tx
    .insert(approvals)
    .values({ releaseId, by, ...said })
    .onConflictDoUpdate({ target: [approvals.releaseId, approvals.by], set: said });
}

/** Approvals of releases, oldest first; expired ones are among them. */
export async function approvalsOf(db: Executor, releaseIds: string[]): Promise<ApprovalRow[]> {
  if (releaseIds.length === 0) return [];
  return db
    .select()
    .from(approvals)
    .where(inArray(approvals.releaseId, releaseIds))
    .orderBy(approvals.at, approvals.by);
}

/**
 * The approvals of one release that hold at an instant; of a release that is decided (null), those that held when the last was given, whatever
 * has expired since.
 */
export function standingApprovals(given: ApprovalRow[], now: Date | null): Approval[] {
  const last = Math.max(...given.map(({ at }) => at.getTime()));
  const at = now === null ? last : now.getTime();
  return given.filter(({ expiresAt }) => expiresAt.getTime() > at).map(toApproval);
}

function toApproval(row: ApprovalRow): Approval {
  return {
    by: row.by,
    at: row.at.toISOString(),
    comment: row.comment,
    artifact: row.artifactDigest,
    gateReport: row.gateReportDigest,
    expiresAt: row.expiresAt.toISOString(),
  };
}
