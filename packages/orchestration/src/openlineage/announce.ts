import { formatId, type JobPayload, type RunEvent } from '@perennial/contract';
import { enqueue, type Executor } from '@perennial/storage';

/** An OpenLineage state of a run (https://openlineage.io/docs/spec/run-cycle): one START, then one of the others. */
export type OpenLineageState = JobPayload<'lineage.emit'>['event'];

/** The states that our own events bring a run to; the rest are steps on the way, which OpenLineage does not hear of. */
export const STATE_AFTER: Partial<Record<RunEvent['type'], OpenLineageState>> = {
  started: 'START',
  succeeded: 'COMPLETE',
  failed: 'FAIL',
  cancelled: 'ABORT',
};

/**
 * Queues what tells the OpenLineage receiver of a run, in the transaction of the run's own event: it is sent if and only if that is on record. A run that was begun again by another
 * worker has been told of, and `started` must not be announced for it.
 * @param run plain id
 */
export async function announceRun(tx: Executor, run: string, type: RunEvent['type']): Promise<void> {
  const event = STATE_AFTER[type];
  if (event === undefined) return;
  await enqueue(tx, {
    kind: 'lineage.emit',
    payload: { run: formatId('run', run), event },
    jobKey: `lineage ${event} ${run}`,
  });
}
