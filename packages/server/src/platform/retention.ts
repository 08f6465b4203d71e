import type { Chore } from '@perennial/orchestration';
import { RetentionDesk } from '@perennial/registry';
import { queueRetentionPass, startWorker, transaction } from '@perennial/storage';
import { dropUnservedRows } from './offline.ts';
import type { PlatformParts } from './parts.ts';

/** Queues the day's pass when a day begins (UTC), or when the first scheduler of the day starts. */
export function retentionChore({ database, clock }: Pick<PlatformParts, 'database' | 'clock'>): Chore {
  let asked: string | undefined;
  return {
    what: 'retention passes',
    tick: async () => {
      const now = clock.now();
      const day = now.toISOString().slice(0, 10);
      if (asked === day) return;
      await transaction(database, (tx) => queueRetentionPass(tx, day, now));
      asked = day;
    },
  };
}

/** Starts a worker of its own for retention's passes: one that deletes for minutes holds up no decision about a run. */
export async function startRetentionJobs(parts: PlatformParts): Promise<void> {
  const { database, closers, logger } = parts;
  const desk = new RetentionDesk(parts);
  const worker = await startWorker({
    database,
    handlers: {
      'retention.apply': async ({ day }) => {
        const report = await desk.apply({ by: 'scheduler', origin: 'worker' });
        const removed = Object.fromEntries(report.parts.map(({ kind, items }) => [kind, items]));
        const served = await dropUnservedRows(parts);
        logger.info({ day, removed: { ...removed, ...served } }, 'retention');
      },
    },
    log: (level, message) => logger[level === 'warning' ? 'warn' : level](message),
  });
  closers.add('retention worker', () => worker.stop());
}
