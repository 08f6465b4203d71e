import { schedule } from 'node-cron';
import type { Scheduler } from './scheduler.ts';

const EVERY_SECOND = '* * * * * *';

/**
 * Lets a scheduler look every second. The seconds are counted in UTC, which no change of clocks touches.
 * @returns what ends it, and waits for the look that is under way
 */
export function startTicks(scheduler: Scheduler): () => Promise<void> {
  const task = schedule(EVERY_SECOND, () => scheduler.tick(), { timezone: 'Etc/UTC', noOverlap: true });
  return async () => {
    await task.destroy();
    await scheduler.settle();
  };
}
