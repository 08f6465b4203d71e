import { emitRunEvent } from '@perennial/orchestration';
import { startWorker } from '@perennial/storage';
import type { Config } from '../config/config.ts';
import type { PlatformParts } from './parts.ts';
import { PLATFORM_VERSION } from './version.ts';
import type { Work } from './work.ts';

/** So many events may be on their way at the same time, each up to the time limit of an attempt. */
const CONCURRENCY = 2;

/**
 * Starts a worker of its own for what goes to the OpenLineage receiver, where one is set up: one that does not answer holds up no run, no decision and no webhook. Any number of processes may do this
 * on one database.
 */
export async function startLineageEmission(
  { lineage }: Pick<Config, 'lineage'>,
  { database, closers, logger }: PlatformParts,
  { catalog }: Pick<Work, 'catalog'>,
): Promise<void> {
  const { receiver, namespace } = lineage;
  if (receiver === null) return;
  const emission = {
    database,
    receiver,
    namespace,
    platformVersion: PLATFORM_VERSION,
    folderOf: (pipeline: string) =>
      catalog.names().includes(pipeline) ? catalog.get(pipeline).folder : undefined,
    log: ({ run, message, error }: { run: string; message: string; error?: unknown }) =>
      logger.warn({ run, err: error }, message),
  };
  const worker = await startWorker({
    database,
    concurrency: CONCURRENCY,
    handlers: { 'lineage.emit': (job, context) => emitRunEvent(emission, job, context) },
    log: (level, message) => logger[level === 'warning' ? 'warn' : level](message),
  });
  closers.add('OpenLineage events', () => worker.stop());
}
