import { hostname } from 'node:os';
import { PipelineCatalog, RunExecutor, RunProgressHub, RunService } from '@perennial/orchestration';
import { RUN_CANCELLED_CHANNEL, startWorker } from '@perennial/storage';
import type { Config } from '../config/config.ts';
import type { ServingParts } from './serving.ts';
import { PLATFORM_VERSION } from './version.ts';

export interface Work {
  catalog: PipelineCatalog;
  runs: RunService;
  progress: RunProgressHub;
}

/** Loads the pipelines and starts the worker that executes their runs. */
export async function startWork(config: Config, parts: ServingParts): Promise<Work> {
  const { database, clock, ids, closers, logger } = parts;
  const catalog = await PipelineCatalog.load(config.pipelines, { database, clock });
  const progress = new RunProgressHub();
  const executor = new RunExecutor({
    ...parts,
    catalog,
    progress,
    workFolder: config.workFolder,
    worker: `${hostname()}:${process.pid}`,
    platformVersion: PLATFORM_VERSION,
    log: ({ run, message, error }) => logger.error({ run, err: error }, message),
  });
  const listener = await database.listen(RUN_CANCELLED_CHANNEL, (id) => executor.cancel(id));
  closers.add('cancellations', () => listener.stop());
  const worker = await startWorker({
    database,
    concurrency: config.workerConcurrency,
    handlers: { 'run.execute': ({ run }, job) => executor.execute(run, job) },
    log: (level, message) => logger[level === 'warning' ? 'warn' : level](message),
  });
  closers.add('worker', () => worker.stop());
  return { catalog, progress, runs: new RunService({ database, clock, ids, catalog }) };
}
