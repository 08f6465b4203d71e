import type { AuditAction } from '@perennial/contract';

/** Who asks for a change, and from where. */
export interface Requester {
  /** `local`, `token:airline app`, `user:ada@example.org`, `policy:automatic`, `scheduler`. */
  by: string;
  /** A network address and request id, or `scheduler`, `worker`. */
  origin: string;
}

/** One change as whoever makes it tells of it; its place in the chain it gets when the transaction commits. */
export interface AuditDraft extends Requester {
  at: Date;
  action: AuditAction;
  /** What was changed: `release:rel_…`, `model:flight-delay`, `version:flight-delay@12`. */
  subject: string;
  /** Why, in the words of who asked; null or absent where nobody gave a reason. */
  reason?: string | null | undefined;
  /** What a reader needs beside it, as JSON. @default {} */
  details?: Record<string, unknown>;
}

/** What each open transaction has told of; an entry goes with its transaction. */
const buffers = new WeakMap<object, AuditDraft[]>();

/** From here on the transaction takes changes. */
export function openBuffer(transaction: object): AuditDraft[] {
  const drafts: AuditDraft[] = [];
  buffers.set(transaction, drafts);
  return drafts;
}

/** What the transaction has told of so far; undefined of one that takes no changes. */
export function bufferOf(transaction: object): AuditDraft[] | undefined {
  return buffers.get(transaction);
}

/** From here on the transaction takes no more. */
export function closeBuffer(transaction: object): void {
  buffers.delete(transaction);
}

/**
 * Runs work under a savepoint of a transaction: what it tells of is the transaction's once it has succeeded, and forgotten with everything else when it fails.
 */
export async function nestBuffer<Result>(
  { outer, inner }: { outer: object; inner: object },
  work: () => Promise<Result>,
): Promise<Result> {
  const kept = bufferOf(outer);
  if (kept === undefined) return work();
  const drafts = openBuffer(inner);
  try {
    const result = await work();
    kept.push(...drafts);
    return result;
  } finally {
    closeBuffer(inner);
  }
}
