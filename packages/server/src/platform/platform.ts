import { setTimeout as pause } from 'node:timers/promises';
import { IdGenerator, systemClock, type Clock } from '@perennial/contract';
import { GroundTruthLog } from '@perennial/monitoring';
import type { ColumnPredictor } from '@perennial/serving';
import type { Hono } from 'hono';
import { Registry } from 'prom-client';
import type { Config } from '../config/config.ts';
import type { ProcessRole } from '../config/environment.ts';
import { createApp } from '../http/app.ts';
import { openAccess } from '../access/access.ts';
import { ResourceOwners } from '../access/resource-owners.ts';
import type { Authenticate } from '../http/authentication.ts';
import type { Front } from '../http/front.ts';
import { listen } from '../http/listen.ts';
import type { Approach } from '../http/request-origin.ts';
import { openTracing } from './tracing.ts';
import { Metrics } from '../http/metrics.ts';
import { Exchanges } from '../http/predict/exchanges.ts';
import { LookupFront } from '../http/predict/lookup-front.ts';
import { PredictFront, type PredictFrontOptions } from '../http/predict/predict-front.ts';
import { LoadGate } from '../http/predict/load-gate.ts';
import { servesLiveOnly } from '../http/predict/serves-live-only.ts';
import { PredictionMetrics } from '../http/prediction-metrics.ts';
import { createSystemApp } from '../http/system-app.ts';
import { Closers } from './closers.ts';
import { startDeliveries } from './deliveries.ts';
import { shipLeftJournals, startFleet } from './fleet.ts';
import { InferFront } from '../oip/infer-front.ts';
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
  /** Where this is one of several processes that serve on one port: the metrics of them all. @default it is the only one, or the one that starts the others */
  fleetMetrics?: (() => Promise<string>) | undefined;
}

/** A running platform. */
export interface Platform {
  /** Where it answers, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The API itself, for requests within the process. */
  readonly app: Hono;
  /** Names of the pipelines that are loaded. */
  readonly pipelines: string[];
  /** This process's own metrics. */
  readonly metrics: Registry;
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
  fleetMetrics,
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
    const foundation = { parts, readiness, authenticate, fleetMetrics };
    if (fleetMetrics === undefined && config.roles.includes('server')) await shipLeftJournals(config, parts);
    const servedByOthers =
      fleetMetrics === undefined && config.processes > 1 && config.roles.includes('server');
    const roles = config.roles.filter((role) => role !== 'server' || !servedByOthers);
    const started = await startRoles({ ...config, roles }, foundation);
    const { app, metrics } = started;
    const { url, pipelines } = servedByOthers
      ? await startFleet(config, parts)
      : await answerHere(config, foundation, started);
    return { url, app, metrics: metrics.registry, pipelines, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function answerHere(config: Config, { parts, readiness }: Foundation, { app, work, front }: Started) {
  const server = await listen(app, { ...config, ...(front && { front }) });
  parts.closers.add('HTTP server', async () => {
    readiness.drain();
    // A load balancer goes on sending until it has asked for readiness again.
    await pause(config.drainMilliseconds);
    await server.close();
  });
  return { url: server.url, pipelines: work.catalog.names() };
}

interface Foundation {
  parts: PlatformParts;
  readiness: Readiness;
  authenticate: Authenticate | undefined;
  fleetMetrics: (() => Promise<string>) | undefined;
}

interface Started {
  app: Hono;
  metrics: Metrics;
  work: Work;
  front?: Front;
}

async function startRoles(config: Config, foundation: Foundation): Promise<Started> {
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
  if (serving) return { work, ...(await assembleApi(config, { ...foundation, serving, work, registry })) };
  const { logger, tracing } = parts;
  const metrics = new Metrics({ numbers: [] });
  return { work, metrics, app: createSystemApp({ readiness, logger, metrics, tracing }) };
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
  { parts, serving, work, readiness, authenticate, fleetMetrics, registry }: Assembly,
): Promise<Omit<Started, 'work'>> {
  const access = await openAccess(config, parts);
  const { database, artifacts, clock, ids, signer, logger, tracing } = parts;
  const asyncPredictions = await openAsyncPredictions(config, parts, serving);
  const flushPredictions = () => serving.shipper.flush();
  const inference = openInference(parts, serving);
  const gate = new LoadGate();
  const shared = {
    logger,
    gate,
    metrics: servingMetrics(serving, { registry, text: fleetMetrics, gate }),
    predictions: serving.predictions,
    authenticate: authenticate ?? access.authenticate,
    limits: access.limits,
    approach: config,
    maxBodyBytes: config.maxBodyBytes,
  };
  const app = createApp({
    ...shared,
    database,
    artifacts,
    clock,
    ids,
    signer,
    tracing,
    readiness,
    runs: work.runs,
    backfills: work.backfills,
    streams: work.streams,
    progress: work.progress,
    asyncPredictions,
    ...inference,
    lookups: serving.offline.lookups,
    models: serving.models,
    groundTruth: new GroundTruthLog({ database, clock, ids, flushPredictions }),
    flushPredictions,
    imports: new ModelImporter({ database, artifacts, clock, ids }),
    doctor: new Doctor({ config, database, artifacts }),
    webhookNetwork: config.webhooks,
    batchPlaces: config.batches,
    access,
    owners: new ResourceOwners({ database, flushPredictions }),
    maxUploadBytes: config.maxUploadBytes,
    version: PLATFORM_VERSION,
  });
  return { app, metrics: shared.metrics, front: openFront(serving, tracing, { ...shared, ...inference }) };
}

/** What is answered in front of the app. Traces are the app's: who turns them on pays for them. */
function openFront(
  { champions, online, predictions, offline }: Serving,
  tracing: PlatformParts['tracing'],
  shared: Omit<PredictFrontOptions, 'predictions' | 'byKey'> & {
    approach: Approach;
    gate: LoadGate;
    predictor: ColumnPredictor;
  },
): Front {
  if (tracing !== null) return { take: () => false };
  const exchanges = new Exchanges(shared);
  const isLive = (model: string) => servesLiveOnly(champions.servingOf(model));
  const predict = new PredictFront({ ...shared, exchanges, isLive, predictions: online, byKey: predictions });
  const lookup = new LookupFront({ ...shared, exchanges, lookups: offline.lookups });
  const infer = new InferFront({ ...shared, exchanges });
  const fronts: Front[] = [predict, lookup, infer];
  return { take: (request) => fronts.some((front) => front.take(request)) };
}
