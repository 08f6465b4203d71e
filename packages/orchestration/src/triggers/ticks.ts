import { schedule } from 'node-cron';
import type { Scheduler } from './scheduler.ts';

const EVERY_SECOND = '* * * * * *';

/** A look that comes late or not at all is no matter, since each sees to everything that is due; the scheduler tells its own errors. */
const UNHEARD = { info: ignore, warn: ignore, error: ignore, debug: ignore };

function ignore(): void {}

/**
 * Lets a scheduler look every second. The seconds are counted in UTC, which no change of clocks touches.
 * @returns what ends it, and waits for the look that is under way
 */
export function startTicks(scheduler: Scheduler): () => Promise<void> {
  const task = schedule(EVERY_SECOND, () => scheduler.tick(), {
    timezone: 'Etc/UTC',
    noOverlap: true,
    suppressMissedWarning: true,
    logger: UNHEARD,
  });
  return async () => {
    await task.destroy();
    await scheduler.settle();
  };
}
