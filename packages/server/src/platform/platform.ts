import { IdGenerator, systemClock, type Clock } from '@perennial/contract';
import { GroundTruthLog } from '@perennial/monitoring';
import type { Hono } from 'hono';
import type { Registry } from 'prom-client';
import type { Config } from '../config/config.ts';
import type { ProcessRole } from '../config/environment.ts';
import { createApp } from '../http/app.ts';
import { openAccess } from '../access/access.ts';
import { ResourceOwners } from '../access/resource-owners.ts';
import type { Authenticate } from '../http/authentication.ts';
import { listen } from '../http/listen.ts';
import { Metrics } from '../http/metrics.ts';
import { PredictFront } from '../http/predict/predict-front.ts';
import { servesLiveOnly } from '../http/predict/serves-live-only.ts';
import { createSystemApp } from '../http/system-app.ts';
import { Closers } from './closers.ts';
import { startDeliveries } from './deliveries.ts';
import { shipLeftJournals, startFleet } from './fleet.ts';
import { startLineageEmission } from './open-lineage.ts';
import { Doctor } from './doctor.ts';
import { ModelImporter } from './import-model.ts';
import type { Logger } from './logger.ts';
import { Readiness } from './readiness.ts';
import type { PlatformParts } from './parts.ts';
import { startServing, type Serving } from './serving.ts';
import { openSigner, registerSigningKey } from './signing.ts';
import { servingNumbers } from './serving-numbers.ts';
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
    const parts: PlatformParts = { ...storage, clock, ids: new IdGenerator(clock), signer, closers, logger };
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
  parts.closers.add('HTTP server', () => {
    readiness.drain();
    return server.close();
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
  front?: PredictFront;
}

async function startRoles(config: Config, foundation: Foundation): Promise<Started> {
  const { parts, readiness } = foundation;
  const has = (role: ProcessRole) => config.roles.includes(role);
  const serving = has('server') ? await startServing(config, parts) : undefined;
  if (serving) readiness.watchModels(() => serving.models.refused());
  const work = await openWork(config, parts);
  if (has('scheduler')) {
    await startScheduler(parts, work);
    await startDeliveries(config, parts);
    await startLineageEmission(config, parts, work);
  }
  if (has('worker')) await startJobs(config, parts, work);
  if (serving) return { work, ...(await assembleApi(config, { ...foundation, serving, work })) };
  const metrics = new Metrics({ numbers: [] });
  return { work, metrics, app: createSystemApp({ readiness, logger: parts.logger, metrics }) };
}

interface Assembly extends Foundation {
  serving: Serving;
  work: Work;
}

async function assembleApi(
  config: Config,
  { parts, serving, work, readiness, authenticate, fleetMetrics }: Assembly,
): Promise<Omit<Started, 'work'>> {
  const access = await openAccess(config, parts);
  const { database, artifacts, clock, ids, signer, logger } = parts;
  const flushPredictions = () => serving.shipper.flush();
  const shared = {
    logger,
    metrics: new Metrics({ numbers: servingNumbers(serving), text: fleetMetrics }),
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
    readiness,
    runs: work.runs,
    backfills: work.backfills,
    streams: work.streams,
    progress: work.progress,
    groundTruth: new GroundTruthLog({ database, clock, ids, flushPredictions }),
    flushPredictions,
    imports: new ModelImporter({ database, artifacts, clock, ids }),
    doctor: new Doctor({ config, database, artifacts }),
    webhookNetwork: config.webhooks,
    access,
    owners: new ResourceOwners({ database, flushPredictions }),
    maxUploadBytes: config.maxUploadBytes,
    version: PLATFORM_VERSION,
  });
  const isLive = (model: string) => servesLiveOnly(serving.champions.servingOf(model));
  return { app, metrics: shared.metrics, front: new PredictFront({ ...shared, isLive }) };
}
