import { join } from 'node:path';
import {
  ArtifactCache,
  AttestedVersions,
  ChampionTable,
  InferenceCaches,
  type Journal,
  LargeRequests,
  PredictionService,
  ServedModels,
  ThreadedShipper,
  databaseChampions,
  databaseEvidence,
  recordPolicyOf,
  type PredictionObserver,
  type Predictor,
} from '@perennial/serving';
import type { Config } from '../config/config.ts';
import { openOffline, type Offline } from './offline.ts';
import { openJournal } from './open-journal.ts';
import type { PlatformParts } from './parts.ts';

/** The champions, loaded or to be loaded: all that a prediction takes which goes into no journal. */
export interface ServedChampions {
  champions: ChampionTable;
  models: ServedModels;
  caches: InferenceCaches;
  /** The threads of requests that would hold up others; undefined where nobody sends any. */
  large: LargeRequests | undefined;
}

/** Longest that a start waits for models: whoever has ten thousand does not wait half a minute for those that nobody may ask for. */
const PRELOAD_MILLISECONDS = 5_000;

export interface Serving extends ServedChampions {
  /** What computes answers when they are asked for. */
  online: PredictionService;
  /** What answers requests: from what was computed before, or by computing. */
  predictions: Predictor;
  offline: Offline;
  journal: Journal;
  shipper: ThreadedShipper;
}

/** Puts the data plane together: champions, loaded models, journal, shipping. */
export async function startServing(
  config: Config,
  parts: PlatformParts,
  observe: (models: ServedModels) => PredictionObserver,
): Promise<Serving> {
  const { clock, ids } = parts;
  const { journal, shipper } = await startJournal(config, parts);
  const served = await openChampions(config, parts, journal);
  const { champions, models, large } = served;
  await models.preload(AbortSignal.timeout(PRELOAD_MILLISECONDS));
  const policyOf = (model: string) => recordPolicyOf(champions.servingOf(model));
  const online = new PredictionService({
    models,
    journal,
    policyOf,
    ids,
    clock,
    observer: observe(models),
    ...(large && { large }),
  });
  const offline = await openOffline(parts, { online, champions, models, journal });
  return { ...served, online, predictions: offline.predictions, offline, journal, shipper };
}

/**
 * The champions; each is loaded when it is first needed.
 * @param journal where answers go; without one this process answers no requests but works on predictions
 */
export async function openChampions(
  config: Config,
  parts: PlatformParts,
  journal?: Journal,
): Promise<ServedChampions> {
  const { database, closers, logger, clock } = parts;
  const champions = await ChampionTable.open({
    snapshotFile: join(config.servingFolder, 'champions.json'),
    ...databaseChampions(database),
    onProblem: (error) => logger.warn({ err: error }, 'champion table'),
  });
  closers.add('champion table', () => champions.close());
  const cache = await openArtifactCache(config, parts);
  const large = journal && startThreads(parts, { artifacts: cache, journal });
  const caches = new InferenceCaches({ servingOf: (model) => champions.servingOf(model), clock });
  const models = await openModels(config, { ...parts, champions, cache, caches, large });
  return { champions, models, caches, large };
}

interface ModelParts extends PlatformParts {
  champions: ChampionTable;
  cache: ArtifactCache;
  caches: InferenceCaches;
  large: LargeRequests | undefined;
}

function openArtifactCache(config: Config, { artifacts, logger }: PlatformParts): Promise<ArtifactCache> {
  return ArtifactCache.open({
    folder: join(config.servingFolder, 'models'),
    fetch: (digest) => artifacts.get(digest),
    onProblem: (error) => logger.warn({ err: error }, 'model cache'),
  });
}

/** The program of the threads: beside this file as it is built, since a thread runs what is built. */
const THREAD = new URL('../../dist/predict-thread/main.js', import.meta.url);

/** Closed before the journal, which the threads' last requests are put on record in. */
function startThreads(
  { closers }: PlatformParts,
  { artifacts, journal }: { artifacts: ArtifactCache; journal: Journal },
): LargeRequests {
  const large = new LargeRequests({
    program: THREAD,
    artifact: (digest) => artifacts.get(digest),
    append: (records, terms) => journal.appendFrames(records, terms),
  });
  closers.add('threads for large requests', () => large.close());
  return large;
}

async function openModels(
  config: Config,
  { database, champions, cache, caches, large, signer, closers, logger, clock }: ModelParts,
): Promise<ServedModels> {
  const verifier = await AttestedVersions.open({
    folder: join(config.servingFolder, 'attestations'),
    load: databaseEvidence(database),
    trusted: signer.trusted,
    onProblem: (error) => logger.warn({ err: error }, 'attestation could not be kept'),
  });
  const models = new ServedModels({
    table: champions,
    artifacts: cache,
    verifier,
    onProblem: (model, error) => logger.error({ model, err: error }, 'champion could not be loaded'),
    memoryBytes: config.modelsMemoryBytes,
    caches,
    clock,
    onRetire: (artifact) => large?.forget(artifact),
    onSwap: (model, version, { replaced }) => {
      if (replaced === null) logger.debug({ model, version }, 'champion loaded');
      else logger.info({ model, version, replaced }, 'serving a new champion');
    },
  });
  closers.add('served models', () => models.close());
  return models;
}

async function startJournal(
  { journal: options }: Config,
  { databaseUrl, closers, logger }: PlatformParts,
): Promise<{ journal: Journal; shipper: ThreadedShipper }> {
  const journal = await openJournal(options);
  closers.add('journal', () => journal.close());
  const shipper = new ThreadedShipper({
    journal,
    database: { url: databaseUrl },
    onProblem: (error) => logger.warn({ err: error }, 'predictions wait to be shipped'),
  });
  shipper.start();
  closers.add('shipper', async () => {
    await shipper
      .flush()
      .catch((error: unknown) => logger.warn({ err: error }, 'predictions stay in the journal'));
    await shipper.stop();
  });
  return { journal, shipper };
}
