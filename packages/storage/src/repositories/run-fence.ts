import { eq } from 'drizzle-orm';
import { LeaseLostError, NotFoundError, formatId } from '@perennial/contract';
import { runs } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/**
 * Holds a run for the worker that writes for it, until the transaction ends: nobody takes it meanwhile.
 * @throws LeaseLostError when the run was taken by another worker since
 */
export async function holdRun(
  tx: Executor,
  { runId, fence }: { runId: string; fence: number },
): Promise<void> {
  const [row] = await tx.select({ fence: runs.fence }).from(runs).where(eq(runs.id, runId)).for('share');
  if (!row) throw new NotFoundError('run', formatId('run', runId));
  if (row.fence !== fence)
    throw new LeaseLostError(
      { kind: 'run', id: formatId('run', runId) },
      { held: fence, current: row.fence },
    );
}
