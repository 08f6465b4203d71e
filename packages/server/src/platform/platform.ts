import { setTimeout as pause } from 'node:timers/promises';
import { IdGenerator, systemClock, type Clock } from '@perennial/contract';
import { GroundTruthLog } from '@perennial/monitoring';
import type { Hono } from 'hono';
import { Registry } from 'prom-client';
import type { Config } from '../config/config.ts';
import type { ProcessRole } from '../config/environment.ts';
import { createApp } from '../http/app.ts';
import { openAccess } from '../access/access.ts';
import { ResourceOwners } from '../access/resource-owners.ts';
import type { Authenticate } from '../http/authentication.ts';
import { listen } from '../http/listen.ts';
import { openTracing } from './tracing.ts';
import { Metrics } from '../http/metrics.ts';
import { PredictionMetrics } from '../http/prediction-metrics.ts';
import { createSystemApp } from '../http/system-app.ts';
import { Closers } from './closers.ts';
import { startDeliveries } from './deliveries.ts';
import { openInference } from './open-inference.ts';
import { startLineageEmission } from './open-lineage.ts';
import { Doctor } from './doctor.ts';
import { ModelImporter } from './import-model.ts';
import type { Logger } from './logger.ts';
import { Readiness } from './readiness.ts';
import type { PlatformParts } from './parts.ts';
import { openAsyncPredictions, startAsyncPredictions, worksOnPredictions } from './async-predictions.ts';
import { openChampions, startServing, type Serving } from './serving.ts';
import { openSigner, registerSigningKey } from './signing.ts';
import { servingMetrics } from './serving-numbers.ts';
import { openStorage } from './storage.ts';
import { PLATFORM_VERSION } from './version.ts';
import { startScheduler } from './scheduler.ts';
import { openWork, startJobs, type Work } from './work.ts';

export interface PlatformOptions {
  config: Config;
  logger: Logger;
  /** @default the machine's clock */
  clock?: Clock;
  /** Tells who is asking. @default by tokens, sessions and the configuration's admin token */
  authenticate?: Authenticate | undefined;
}

/** A running platform. */
export interface Platform {
  /** Where it answers, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The API itself, for requests within the process. */
  readonly app: Hono;
  /** Names of the pipelines that are loaded. */
  readonly pipelines: string[];
  /** Stops taking requests, finishes what is under way, ships the journal and closes everything. */
  close(): Promise<void>;
}

/**
 * Starts what this process's roles ask for; all of them by default: database and artifact store, serving, scheduler, worker, the HTTP API. The one place
 * where implementations are chosen; what fails on the way closes what was open.
 * @throws ListenError, PipelineInvalidError, the storage's errors
 */
export async function startPlatform({
  config,
  logger,
  clock = systemClock,
  authenticate,
}: PlatformOptions): Promise<Platform> {
  const closers = new Closers(logger);
  try {
    const signer = await openSigner(config.signing);
    const storage = await openStorage(config, { closers, logger });
    await registerSigningKey(signer, { ...storage, clock, logger });
    const tracing = await openTracing(config, { closers });
    const ids = new IdGenerator(clock);
    const parts: PlatformParts = { ...storage, clock, ids, signer, tracing, closers, logger };
    const readiness = new Readiness(() => parts.database.sql`select 1`);
    const { app, work } = await startRoles(config, { parts, readiness, authenticate });
    const server = await listen(app, config);
    closers.add('HTTP server', async () => {
      readiness.drain();
      // A load balancer goes on sending until it has asked for readiness again.
      await pause(config.drainMilliseconds);
      await server.close();
    });
    return { url: server.url, app, pipelines: work.catalog.names(), close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

interface Foundation {
  parts: PlatformParts;
  readiness: Readiness;
  authenticate: Authenticate | undefined;
}

async function startRoles(config: Config, foundation: Foundation): Promise<{ app: Hono; work: Work }> {
  const { parts, readiness } = foundation;
  const has = (role: ProcessRole) => config.roles.includes(role);
  const registry = new Registry();
  const serving = has('server')
    ? await startServing(
        config,
        parts,
        (models) =>
          new PredictionMetrics({
            registry,
            aliases: config.metricsAliases,
            loaded: () => models.activity(),
          }),
      )
    : undefined;
  if (serving) watchModels(readiness, serving);
  const work = await openWork(config, parts);
  if (has('scheduler')) {
    await startScheduler(parts, work);
    await startDeliveries(config, parts);
    await startLineageEmission(config, parts, work);
  }
  if (has('worker')) await startJobs(config, parts, work);
  if (worksOnPredictions(config))
    await startAsyncPredictions(config, parts, serving ?? (await openChampions(config, parts)));
  const app = serving
    ? await assembleApi(config, { ...foundation, serving, work, registry })
    : createSystemApp({
        readiness,
        logger: parts.logger,
        metrics: new Metrics({ numbers: [] }),
        tracing: parts.tracing,
      });
  return { app, work };
}

function watchModels(readiness: Readiness, { models }: Serving): void {
  readiness.watchModels(
    () => models.refused(),
    async (model) => {
      const served = await models.hold(model);
      served.release();
      return served.champion.version;
    },
  );
}

interface Assembly extends Foundation {
  serving: Serving;
  work: Work;
  registry: Registry;
}

async function assembleApi(
  config: Config,
  { parts, serving, work, readiness, authenticate, registry }: Assembly,
): Promise<Hono> {
  const access = await openAccess(config, parts);
  const { database, artifacts, clock, ids, signer, logger, tracing } = parts;
  const asyncPredictions = await openAsyncPredictions(config, parts, serving);
  const flushPredictions = () => serving.shipper.flush();
  return createApp({
    database,
    artifacts,
    clock,
    ids,
    signer,
    logger,
    tracing,
    readiness,
    runs: work.runs,
    backfills: work.backfills,
    streams: work.streams,
    progress: work.progress,
    predictions: serving.predictions,
    asyncPredictions,
    ...openInference(parts, serving),
    lookups: serving.offline.lookups,
    models: serving.models,
    groundTruth: new GroundTruthLog({ database, clock, ids, flushPredictions }),
    flushPredictions,
    imports: new ModelImporter({ database, artifacts, clock, ids }),
    doctor: new Doctor({ config, database, artifacts }),
    webhookNetwork: config.webhooks,
    batchPlaces: config.batches,
    metrics: servingMetrics(serving, registry),
    access,
    authenticate: authenticate ?? access.authenticate,
    limits: access.limits,
    owners: new ResourceOwners({ database, flushPredictions }),
    approach: config,
    maxBodyBytes: config.maxBodyBytes,
    maxUploadBytes: config.maxUploadBytes,
    version: PLATFORM_VERSION,
  });
}
