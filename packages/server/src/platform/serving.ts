import { join } from 'node:path';
import {
  ArtifactCache,
  AttestedVersions,
  ChampionTable,
  Journal,
  PredictionService,
  ServedModels,
  Shipper,
  createPredictionSink,
  databaseChampions,
  databaseEvidence,
  type Predictor,
} from '@perennial/serving';
import type { Config } from '../config/config.ts';
import { openOffline, type Offline } from './offline.ts';
import type { PlatformParts } from './parts.ts';

export interface Serving {
  /** What answers requests: from what was computed before, or by computing. */
  predictions: Predictor;
  offline: Offline;
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
  const models = await openModels(config, { ...parts, champions });
  await models.preload();
  const online = new PredictionService({ models, journal, ids, clock });
  const offline = await openOffline(parts, { online, champions, models, journal });
  return { predictions: offline.predictions, offline, journal, shipper, champions, models };
}

async function openModels(
  config: Config,
  { database, artifacts, champions, signer, closers, logger }: PlatformParts & { champions: ChampionTable },
): Promise<ServedModels> {
  const cache = await ArtifactCache.open({
    folder: join(config.servingFolder, 'models'),
    fetch: (digest) => artifacts.get(digest),
    onProblem: (error) => logger.warn({ err: error }, 'model cache'),
  });
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
