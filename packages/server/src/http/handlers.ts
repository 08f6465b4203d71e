import { parseId, type Clock } from '@perennial/contract';
import { reportLive, type GroundTruthLog } from '@perennial/monitoring';
import type { BackfillService, RunService, StreamService } from '@perennial/orchestration';
import type { Signer } from '@perennial/registry';
import type { Predictor } from '@perennial/serving';
import * as storage from '@perennial/storage';
import { requireOwnFacts } from '../access/ground-truth-scope.ts';
import type { Doctor } from '../platform/doctor.ts';
import { accessHandlers, type AccessHandlerDependencies } from './access-handlers.ts';
import { attestationHandlers, type AttestationDependencies } from './attestation-handlers.ts';
import { adviceHandlers } from './advice-handlers.ts';
import { asyncPredictionHandlers, type AsyncPredictionDependencies } from './async-prediction-handlers.ts';
import { auditHandlers } from './audit-handlers.ts';
import { batchHandlers, type BatchHandlerDependencies } from './batch-handlers.ts';
import { cardHandlers } from './card-handlers.ts';
import { endpointHandlers, type EndpointHandlerDependencies } from './endpoint-handlers.ts';
import { importHandlers, type ImportHandlerDependencies } from './import-handlers.ts';
import { lineageHandlers } from './lineage-handlers.ts';
import type { Metrics } from './metrics.ts';
import { modelHandlers } from './model-handlers.ts';
import { offlineHandlers, type OfflineHandlerDependencies } from './offline-handlers.ts';
import { reproductionHandlers } from './reproduction-handlers.ts';
import { predictHandler } from './predict-handler.ts';
import { retentionHandlers } from './retention-handlers.ts';
import { releaseHandlers, type ReleaseHandlerDependencies } from './release-handlers.ts';
import type { Handlers } from './route-registration.ts';
import { webhookHandlers, type WebhookHandlerDependencies } from './webhook-handlers.ts';

export interface HandlerDependencies
  extends
    WebhookHandlerDependencies,
    EndpointHandlerDependencies,
    ImportHandlerDependencies,
    AccessHandlerDependencies,
    AttestationDependencies,
    AsyncPredictionDependencies,
    BatchHandlerDependencies,
    ReleaseHandlerDependencies,
    OfflineHandlerDependencies {
  database: storage.Database;
  artifacts: storage.ArtifactStore;
  signer: Signer;
  clock: Clock;
  runs: RunService;
  backfills: BackfillService;
  streams: StreamService;
  predictions: Predictor;
  groundTruth: GroundTruthLog;
  metrics: Metrics;
  doctor: Doctor;
  /** Ships every prediction acknowledged so far to the database. */
  flushPredictions: () => Promise<void>;
}

/** What each route does, in the route table's order. */
export function createHandlers(dependencies: HandlerDependencies): Handlers {
  return {
    ...pipelineAndRunHandlers(dependencies),
    ...triggerHandlers(dependencies),
    ...datasetHandlers(dependencies),
    ...modelHandlers(dependencies),
    ...cardHandlers(dependencies),
    ...importHandlers(dependencies),
    ...attestationHandlers(dependencies),
    ...lineageHandlers(dependencies),
    ...reproductionHandlers(dependencies),
    ...releaseHandlers(dependencies),
    ...predictionHandlers(dependencies),
    ...asyncPredictionHandlers(dependencies),
    ...batchHandlers(dependencies),
    ...offlineHandlers(dependencies),
    ...adviceHandlers(dependencies),
    ...monitoringHandlers(dependencies),
    ...webhookHandlers(dependencies),
    ...accessHandlers(dependencies),
    ...retentionHandlers(dependencies),
    ...endpointHandlers(dependencies),
    ...auditHandlers(dependencies),
  };
}

function pipelineAndRunHandlers({ database, runs }: HandlerDependencies) {
  const db = database.orm;
  return {
    listPipelines: ({ query }) => storage.listPipelines(db, query),
    getPipeline: ({ params }) => storage.getPipeline(db, params.pipeline),
    startRun: ({ params, body }, { principal, origin }) =>
      runs.start({
        pipeline: params.pipeline,
        trigger: { kind: body.trigger, by: principal.name },
        asOf: body.asOf === undefined ? undefined : new Date(body.asOf),
        force: body.force,
        origin,
      }),
    listRuns: ({ query }) => storage.listRuns(db, query),
    getRun: ({ params }) => storage.getRun(db, parseId('run', params.run)),
    cancelRun: ({ params }, { principal, origin }) => runs.cancel(params.run, { by: principal.name, origin }),
    listRunEvents: ({ params, query }) => storage.listRunEvents(db, parseId('run', params.run), query),
  } satisfies Partial<Handlers>;
}

function triggerHandlers({ database, backfills, streams }: HandlerDependencies) {
  const db = database.orm;
  return {
    listTriggers: ({ query }) => storage.listTriggers(db, query),
    startBackfill: ({ params, body }, { principal, origin }) =>
      backfills.start({ pipeline: params.pipeline, ...body, by: principal.name, origin }),
    listBackfills: ({ query }) => storage.listBackfills(db, query),
    getBackfill: ({ params }) => storage.getBackfill(db, parseId('backfill', params.backfill)),
    resumeBackfill: ({ params }, { principal, origin }) =>
      backfills.resume(params.backfill, { by: principal.name, origin }),
    stopBackfill: ({ params }, { principal, origin }) =>
      backfills.stop(params.backfill, { by: principal.name, origin }),
    postStreamEvents: ({ params, body }) => streams.post(params.stream, body.events),
    listStreams: ({ query }) => storage.listStreams(db, query),
  } satisfies Partial<Handlers>;
}

function datasetHandlers({ database }: HandlerDependencies) {
  return {
    listDatasets: ({ query }) => storage.listDatasetVersions(database.orm, query),
    getDataset: ({ params }) => storage.getDatasetVersion(database.orm, params.dataset),
  } satisfies Partial<Handlers>;
}

function predictionHandlers({ database, predictions, metrics, flushPredictions }: HandlerDependencies) {
  const db = database.orm;
  return {
    predict: predictHandler({ predictions, metrics }),
    // Whoever has an answer may look it up at once, so what the journal still holds goes to the database first.
    listPredictions: async ({ query }) => {
      await flushPredictions();
      return storage.listPredictions(db, query);
    },
    getPrediction: async ({ params }) => {
      await flushPredictions();
      return storage.getPrediction(db, parseId('prediction', params.prediction));
    },
  } satisfies Partial<Handlers>;
}

function monitoringHandlers({ database, clock, groundTruth, doctor, flushPredictions }: HandlerDependencies) {
  return {
    postGroundTruth: async ({ body }, { principal }) => {
      await requireOwnFacts(principal, body.items, { database, flushPredictions });
      return groundTruth.record(body.items, principal.name);
    },
    getMonitoring: async ({ params, query }) => {
      await flushPredictions();
      return reportLive({ database, clock }, { model: params.model, ...query });
    },
    getDoctor: () => doctor.examine(),
  } satisfies Partial<Handlers>;
}
