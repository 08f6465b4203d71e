import { Scheduler, controlJobs, startTicks } from '@perennial/orchestration';
import { startWorker } from '@perennial/storage';
import { expiryChore } from './async-predictions.ts';
import { bucketLister } from './bucket-files.ts';
import { idempotencyChore } from './idempotency-keys.ts';
import type { PlatformParts } from './parts.ts';
import { retentionChore, startRetentionJobs } from './retention.ts';
import type { Work } from './work.ts';

/**
 * Starts what makes pipelines run by themselves: the scheduler's ticks, and a worker of its own for the jobs that decide about runs, so that these wait for no
 * training. Any number of processes may do this on one database.
 */
export async function startScheduler(parts: PlatformParts, work: Work): Promise<void> {
  const { database, closers, logger } = parts;
  const log = ({ message, error }: { message: string; error: unknown }) =>
    logger.error({ err: error }, message);
  const listerOf = bucketLister(work.sources.objects);
  const stopTicks = startTicks(
    new Scheduler({
      ...parts,
      ...work,
      listerOf,
      log,
      chores: [retentionChore(parts), idempotencyChore(parts), expiryChore(parts)],
    }),
  );
  closers.add('scheduler', stopTicks);
  const worker = await startWorker({
    database,
    handlers: controlJobs({ ...work, log }),
    log: (level, message) => logger[level === 'warning' ? 'warn' : level](message),
  });
  closers.add('control worker', () => worker.stop());
  await startRetentionJobs(parts);
}
