import { bufferOf, type AuditDraft } from '../database/audit-buffer.ts';
import type { Executor } from './executor.ts';

export type { AuditDraft } from '../database/audit-buffer.ts';

/**
 * Tells the audit of a change, in the transaction that makes it: both are stored or neither is. Secrets in its texts are blacked out; still, put none there.
 * @throws Error outside `transaction()`, where nothing would put it on the chain
 */
export function recordChange(tx: Executor, draft: AuditDraft): void {
  const drafts = bufferOf(tx);
  if (drafts === undefined)
    throw new Error(`The change ${draft.action} was recorded outside a transaction().`);
  drafts.push(draft);
}
