import { join } from 'node:path';
import {
  ArtifactCache,
  AttestedVersions,
  ChampionTable,
  Journal,
  LargeRequests,
  PredictionService,
  ServedModels,
  Shipper,
  createPredictionSink,
  databaseChampions,
  databaseEvidence,
} from '@perennial/serving';
import type { Config } from '../config/config.ts';
import type { PlatformParts } from './parts.ts';

export interface Serving {
  predictions: PredictionService;
  journal: Journal;
  shipper: Shipper;
  champions: ChampionTable;
  models: ServedModels;
}

/** Puts the data plane together: champions, loaded models, journal, shipping. */
export async function startServing(config: Config, parts: PlatformParts): Promise<Serving> {
  const { database, closers, logger, clock, ids } = parts;
  const { journal, shipper } = await startJournal(config, parts);
  const champions = await ChampionTable.open({
    snapshotFile: join(config.servingFolder, 'champions.json'),
    ...databaseChampions(database),
    onProblem: (error) => logger.warn({ err: error }, 'champion table'),
  });
  closers.add('champion table', () => champions.close());
  const artifacts = await openArtifactCache(config, parts);
  const large = startThreads(parts, { artifacts, journal });
  const models = await openModels(config, { ...parts, champions, cache: artifacts, large });
  await models.preload();
  const predictions = new PredictionService({ models, journal, ids, clock, large });
  return { predictions, journal, shipper, champions, models };
}

interface ModelParts extends PlatformParts {
  champions: ChampionTable;
  cache: ArtifactCache;
  large: LargeRequests;
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
    append: (records) => journal.append(records),
  });
  closers.add('threads for large requests', () => large.close());
  return large;
}

async function openModels(
  config: Config,
  { database, champions, cache, large, signer, closers, logger }: ModelParts,
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
    onRetire: (artifact) => large.forget(artifact),
    onSwap: (model, version) => logger.info({ model, version }, 'serving a new champion'),
  });
  closers.add('served models', () => models.close());
  return models;
}

async function startJournal(
  { journal: { folder, durability } }: Config,
  { database, closers, logger }: PlatformParts,
): Promise<{ journal: Journal; shipper: Shipper }> {
  const journal = await Journal.open({ folder, durability });
  closers.add('journal', () => journal.close());
  const shipper = new Shipper({
    journal,
    sink: createPredictionSink(database),
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
