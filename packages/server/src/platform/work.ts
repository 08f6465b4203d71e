import { hostname } from 'node:os';
import {
  BackfillService,
  PipelineCatalog,
  ReproductionExecutor,
  RunExecutor,
  RunProgressHub,
  RunService,
  StreamService,
  TriggerEngine,
} from '@perennial/orchestration';
import type { SourceReaders } from '@perennial/data';
import { RUN_CANCELLED_CHANNEL, startWorker } from '@perennial/storage';
import { ArtifactServerReserve } from '../artifact-server/artifact-server-reserve.ts';
import type { Config } from '../config/config.ts';
import { precomputationJobs } from './offline.ts';
import type { PlatformParts } from './parts.ts';
import { batchJobs } from './batches.ts';
import { sourceReaders } from './source-readers.ts';
import { PLATFORM_VERSION } from './version.ts';

/** What every role needs to speak of runs. */
export interface Work {
  catalog: PipelineCatalog;
  engine: TriggerEngine;
  runs: RunService;
  backfills: BackfillService;
  streams: StreamService;
  progress: RunProgressHub;
  /** What sources that are no local files are read through. */
  sources: SourceReaders;
}

/** Loads the pipelines; starts nothing yet. */
export async function openWork(config: Config, parts: PlatformParts): Promise<Work> {
  const { database, clock, ids, closers } = parts;
  const catalog = await PipelineCatalog.load(config.pipelines, { database, clock });
  const progress = await RunProgressHub.open(database);
  closers.add('run progress', () => progress.close());
  const base = { database, clock, ids, catalog };
  const engine = new TriggerEngine(base);
  return {
    catalog,
    progress,
    engine,
    sources: sourceReaders(config, parts),
    runs: new RunService({ database, clock, engine, announce: config.lineage.receiver !== null }),
    backfills: new BackfillService({ ...base, engine }),
    streams: new StreamService(base),
  };
}

/** Starts the worker that takes jobs from the queue. */
export async function startJobs(
  config: Config,
  parts: PlatformParts,
  { catalog, progress, sources }: Work,
): Promise<void> {
  const { database, closers, logger } = parts;
  const making = {
    ...parts,
    catalog,
    sources,
    workFolder: config.workFolder,
    environment: config.environment,
  };
  const executor = new RunExecutor({
    ...making,
    progress,
    openServers: () => new ArtifactServerReserve(),
    announce: config.lineage.receiver !== null,
    worker: `${hostname()}:${process.pid}`,
    platformVersion: PLATFORM_VERSION,
    log: ({ run, message, error }) => logger.error({ run, err: error }, message),
  });
  const reproductions = new ReproductionExecutor({
    ...making,
    log: ({ reproduction, message, error }) => logger.error({ reproduction, err: error }, message),
  });
  const listener = await database.listen(RUN_CANCELLED_CHANNEL, (id) => executor.cancel(id));
  closers.add('cancellations', () => listener.stop());
  const worker = await startWorker({
    database,
    concurrency: config.workerConcurrency,
    ...(config.queues === null ? {} : { queues: config.queues }),
    handlers: {
      'run.execute': ({ run }, job) => executor.execute(run, job),
      'reproduction.execute': ({ reproduction }, job) => reproductions.execute(reproduction, job),
      ...batchJobs(config, parts, sources),
      ...precomputationJobs(parts),
    },
    log: (level, message) => logger[level === 'warning' ? 'warn' : level](message),
  });
  closers.add('worker', () => worker.stop());
}
