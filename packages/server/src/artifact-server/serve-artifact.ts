import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IdGenerator, systemClock, type Digest } from '@perennial/contract';
import {
  ArtifactCache,
  ChampionTable,
  Journal,
  PredictionService,
  ServedModels,
} from '@perennial/serving/online';
import { digestOf } from '@perennial/storage/digest';
import { authenticator } from '../http/authentication.ts';
import { listen } from '../http/listen.ts';
import { Metrics } from '../http/metrics.ts';
import { PredictFront } from '../http/predict/predict-front.ts';
import { predictHandler } from '../http/predict-handler.ts';
import { registerPredictRoute } from '../http/route-registration.ts';
import { createSystemApp } from '../http/system-app.ts';
import { createLogger } from '../platform/logger.ts';
import { Readiness } from '../platform/readiness.ts';
import type { Assignment } from './assignment.ts';

/** Room for the largest request that is sent: a few thousand rows. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Serves one artifact through the code that serves predictions in production: the same route, validation, batching, journal and JSON. What it lacks is the
 * rest of the platform: the champion never moves, there is no database, and the journal (in the working folder) is not brought to disk.
 *
 * @throws what opening the artifact throws
 */
export async function serveArtifact(assignment: Assignment): Promise<{ url: string; artifact: Digest }> {
  const { token } = assignment;
  const { predictions, artifact } = await openPredictions(assignment);
  const metrics = new Metrics({ numbers: [] });
  const readiness = new Readiness(() => Promise.resolve());
  const logger = createLogger('error');
  const app = createSystemApp({ readiness, metrics, logger });
  const admission = { authenticate: authenticator(token), maxBodyBytes: MAX_BODY_BYTES };
  registerPredictRoute(app, predictHandler({ predictions, metrics }), admission);
  const front = new PredictFront({ ...admission, predictions, byKey: predictions, metrics, logger });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0, front });
  return { url, artifact };
}

async function openPredictions({ file, model, folder }: Assignment) {
  const clock = systemClock;
  const bytes = await readFile(file);
  const artifact = digestOf(bytes);
  const champion = { version: 1, artifact, asOf: clock.now().toISOString(), revision: 1 };
  const table = await ChampionTable.open({
    snapshotFile: join(folder, 'champions.json'),
    loadChampions: () => Promise.resolve([{ model, champion }]),
    subscribe: () => Promise.resolve(() => Promise.resolve()),
  });
  const artifacts = await ArtifactCache.open({
    folder: join(folder, 'models'),
    fetch: () => Promise.resolve(bytes),
  });
  const models = new ServedModels({ table, artifacts, verifier: null });
  // Loads it now: an artifact that cannot be loaded is told of at once and not by a request.
  (await models.hold(model)).release();
  const journal = await Journal.open({ folder: join(folder, 'journal'), durability: 'none' });
  const predictions = new PredictionService({ models, journal, ids: new IdGenerator(clock), clock });
  return { predictions, artifact };
}
