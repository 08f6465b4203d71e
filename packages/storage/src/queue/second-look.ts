import type { WorkerEvents } from 'graphile-worker';

/** After a notification, in milliseconds; each worker's own moment lies anywhere in the spread. */
const LEAST_MILLISECONDS = 20;
const SPREAD_MILLISECONDS = 80;

/**
 * Has a worker look for jobs once more after each notification. graphile-worker 0.17 looks by locking every free series first, and passes over those that
 * another worker has locked to look. A notification wakes all workers at once: the one whose job it was found nothing, looked again with all others a second
 * later, and half of the runs began one to four seconds late.
 */
export function lookTwice(events: WorkerEvents): void {
  let isOver = false;
  events.once('pool:gracefulShutdown', () => (isOver = true));
  events.once('pool:forcefulShutdown', () => (isOver = true));
  events.once('pool:release', () => (isOver = true));
  events.on('pool:listen:notification', ({ workerPool }) => {
    setTimeout(
      () => {
        if (!isOver) workerPool.nudge?.(1);
      },
      LEAST_MILLISECONDS + Math.random() * SPREAD_MILLISECONDS,
    ).unref();
  });
}
