import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DEFAULT_SERVING,
  IdGenerator,
  ManualClock,
  predictionSchema,
  type EncoderSpec,
  type FittedLabel,
  type Prediction,
  type ServingSpec,
} from '@perennial/contract';
import { encoderLayout, writeArtifact } from '@perennial/onnx';
import {
  ArtifactCache,
  ChampionTable,
  ColumnPredictor,
  InferenceCaches,
  Journal,
  PredictionService,
  ServedModels,
} from '@perennial/serving';
import { digestOf } from '@perennial/storage';
import { authenticateLocal } from '../http/authentication.ts';
import { Metrics } from '../http/metrics.ts';
import { predictHandler } from '../http/predict-handler.ts';
import { registerPredictRoute } from '../http/route-registration.ts';
import { createSystemApp } from '../http/system-app.ts';
import { createOipHandlers } from '../oip/handlers.ts';
import { ModelDirectory } from '../oip/model-directory.ts';
import { registerOipRoutes } from '../oip/register-oip.ts';
import { createLogger } from '../platform/logger.ts';
import { Readiness } from '../platform/readiness.ts';

const numeric = { impute: 0.5, missingIndicator: true, clip: {}, log: false, center: 1, scale: 2 };

/** Columns of every type. */
export const MIXED: EncoderSpec = {
  columns: [
    { name: 'distance', type: 'number' },
    { name: 'weekend', type: 'boolean' },
    { name: 'origin', type: 'text' },
    { name: 'departure', type: 'timestamp' },
  ],
  features: [
    { kind: 'numeric', name: 'distance', column: 'distance', ...numeric },
    { kind: 'boolean', name: 'weekend', column: 'weekend' },
    {
      kind: 'categorical',
      name: 'origin',
      column: 'origin',
      vocabulary: ['ORD', 'Zürich'],
      encoding: { kind: 'oneHot' },
    },
    { kind: 'timestamp', name: 'departure', column: 'departure', parts: ['hourOfDay'], cyclic: true },
  ],
};

export const BINARY: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.5 };
export const MULTICLASS: FittedLabel = { kind: 'multiclass', name: 'class', classes: ['ab', 'ç', 'd'] };
export const REGRESSION: FittedLabel = { kind: 'regression', name: 'delay', center: 3, scale: 2 };

/** An artifact of one layer, whose weights all differ, so that no column can stand in for another unnoticed. */
export function layerArtifact(encoder: EncoderSpec, label: FittedLabel): Uint8Array {
  const inputs = encoderLayout(encoder).denseWidth;
  const outputs = label.kind === 'multiclass' ? label.classes.length : 1;
  const weights = Float32Array.from({ length: inputs * outputs }, (_, i) => Math.sin(i + 1) / 2);
  return writeArtifact({
    encoder,
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: inputs }],
      layers: [
        {
          name: 'out',
          inputs: ['dense'],
          kind: 'dense',
          kernel: { shape: [inputs, outputs], data: weights },
          activation: ({ binary: 'sigmoid', multiclass: 'softmax', regression: 'linear' } as const)[
            label.kind
          ],
        },
      ],
      output: 'out',
    },
    label,
    properties: {},
  });
}

const KEEPS_ANSWERS: ServingSpec = { ...DEFAULT_SERVING, cache: { predictions: { maxAge: '1m' } } };

export interface TensorServer {
  request: (path: string, init?: RequestInit) => Promise<Response>;
  /** What was put on record, in order. */
  recorded: () => Promise<Prediction[]>;
  models: ServedModels;
  stop: () => Promise<void>;
}

/**
 * Serves artifacts, each as version 1 of the model of its name, by rows and by tensors: without a database.
 * @param kept models whose answers are kept for equal features
 */
export async function startTensorServer(
  artifacts: Record<string, Uint8Array>,
  { kept = [] }: { kept?: readonly string[] } = {},
): Promise<TensorServer> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-tensors-'));
  const clock = new ManualClock('2024-03-11T03:00:00Z');
  const bytes = new Map(Object.values(artifacts).map((file) => [digestOf(file), file]));
  const table = await ChampionTable.open({
    snapshotFile: join(folder, 'champions.json'),
    loadChampions: async () => [
      ...Object.entries(artifacts).map(([model, file]) => ({
        model,
        champion: { version: 1, artifact: digestOf(file), asOf: clock.now().toISOString(), revision: 1 },
      })),
      { model: 'unreleased', champion: null },
    ],
    subscribe: async () => async () => undefined,
  });
  const cache = await ArtifactCache.open({
    folder: join(folder, 'models'),
    fetch: async (digest) => bytes.get(digest) ?? new Uint8Array(),
  });
  const caches = new InferenceCaches({
    servingOf: (model) => (kept.includes(model) ? KEEPS_ANSWERS : DEFAULT_SERVING),
    clock,
  });
  const models = new ServedModels({ table, artifacts: cache, verifier: null, caches });
  const journal = await Journal.open({ folder: join(folder, 'journal'), durability: 'process' });
  const app = assemble(table, { models, clock, journal });
  return {
    request: async (path, init) => {
      const headers = new Headers(init?.headers);
      headers.set('host', 'localhost');
      // Else a text would be sent as text/plain.
      if (typeof init?.body === 'string' && !headers.has('content-type'))
        headers.set('content-type', 'application/json');
      return app.request(path, { ...init, headers });
    },
    recorded: () => readAll(journal),
    models,
    stop: async () => {
      await table.close();
      await models.close();
      await journal.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function readAll(journal: Journal): Promise<Prediction[]> {
  const reader = journal.read();
  const records: string[] = [];
  for (let batch = await reader.next(100); batch !== undefined; batch = await reader.next(100))
    records.push(...batch.records);
  return records.map((record) => {
    const { id, ...rest } = JSON.parse(record) as Prediction;
    return predictionSchema.parse({ ...rest, id: `pred_${id}` });
  });
}

interface Parts {
  models: ServedModels;
  clock: ManualClock;
  journal: Journal;
}

function assemble(champions: ChampionTable, { models, clock, journal }: Parts) {
  const metrics = new Metrics({ numbers: [] });
  const logger = createLogger('silent');
  const readiness = new Readiness(async () => undefined);
  const ids = new IdGenerator(clock);
  const app = createSystemApp({ readiness, metrics, logger });
  const admission = { authenticate: authenticateLocal };
  const predictions = new PredictionService({ models, journal, ids, clock });
  registerPredictRoute(app, predictHandler({ predictions, metrics }), {
    ...admission,
    maxBodyBytes: 2 ** 20,
  });
  const handlers = createOipHandlers({
    predictor: new ColumnPredictor({ models, journal, ids, clock }),
    directory: new ModelDirectory({ champions, models, approved: async () => [1] }),
    readiness,
    metrics,
    maxBodyBytes: 2 ** 20,
  });
  registerOipRoutes(app, handlers, { ...admission, logger, version: '1.2.3' });
  return app;
}

/** Bodies of requests and answers with tensors as bytes. */
export function binaryBody(json: object, ...tensors: Uint8Array[]): RequestInit {
  const header = Buffer.from(JSON.stringify(json));
  return {
    method: 'POST',
    headers: { 'inference-header-content-length': String(header.length) },
    body: Buffer.concat([header, ...tensors]),
  };
}
