import { z } from 'zod';
import { backfillSchema } from './backfill.ts';
import { datasetSummarySchema, datasetVersionSchema } from './dataset.ts';
import { doctorReportSchema } from './doctor.ts';
import { groundTruthRequestSchema, groundTruthResponseSchema } from './ground-truth.ts';
import { idSchema } from './ids.ts';
import { modelCardSchema } from './model-card.ts';
import { modelSchema, modelVersionDetailSchema, modelVersionSchema, versionNumberSchema } from './model.ts';
import { monitoringReportSchema } from './monitoring.ts';
import { daySchema, digestSchema, instantSchema, nameSchema, textSchema } from './names.ts';
import { pageQuery, pageQuerySchema, pageSchema } from './paging.ts';
import { pipelineSchema } from './pipeline-spec.ts';
import { predictRequestSchema, predictResponseSchema, predictionSchema } from './prediction.ts';
import { aliasMoveSchema, aliasSchema, releaseSchema } from './release.ts';
import type { Role } from './roles.ts';
import { runSchema, runStateSchema, storedRunEventSchema } from './run.ts';
import { streamRequestSchema, streamResponseSchema, streamSchema } from './stream.ts';
import { triggerKindSchema, triggerOutcomeSchema, triggerRecordSchema } from './trigger.ts';

/** One route of the REST API. The server, the OpenAPI document and the client are all made from these. */
export interface Route {
  method: 'GET' | 'POST';
  /** With `{name}` for each path parameter. */
  path: string;
  /** The least role that may call it; a route without one does not compile. */
  role: Role;
  summary: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  response: z.ZodType;
  /** Status of a success. */
  status: 200 | 201 | 202;
  /** Another form that the response has for who accepts it instead of JSON. */
  alsoAs?: 'text/markdown' | 'text/event-stream';
}

const pipelineParams = z.strictObject({ pipeline: nameSchema });
const runParams = z.strictObject({ run: idSchema('run') });
const modelParams = z.strictObject({ model: nameSchema });
const backfillParams = z.strictObject({ backfill: idSchema('backfill') });
const versionParams = modelParams.extend({ version: versionNumberSchema });

export const startRunSchema = z.strictObject({
  /** The instant the run looks at the world from; now when absent. */
  asOf: instantSchema.optional(),
  /** Do the work again even where an earlier run's output would stand for it. */
  force: z.boolean().default(false),
  trigger: triggerKindSchema.default('request'),
});

/** Why a person decided as they did. */
export const decisionSchema = z.strictObject({ reason: textSchema({ min: 1, max: 2_000 }) });

export const ROUTES = {
  listPipelines: {
    method: 'GET',
    path: '/v1/pipelines',
    role: 'viewer',
    summary: 'The pipelines that are loaded',
    query: pageQuerySchema,
    response: pageSchema(pipelineSchema),
    status: 200,
  },
  getPipeline: {
    method: 'GET',
    path: '/v1/pipelines/{pipeline}',
    role: 'viewer',
    summary: 'One pipeline in its normal form',
    params: pipelineParams,
    response: pipelineSchema,
    status: 200,
  },
  startRun: {
    method: 'POST',
    path: '/v1/pipelines/{pipeline}/runs',
    role: 'operator',
    summary: 'Start a run',
    params: pipelineParams,
    body: startRunSchema,
    response: runSchema,
    status: 202,
  },
  listRuns: {
    method: 'GET',
    path: '/v1/runs',
    role: 'viewer',
    summary: 'Runs, newest first',
    query: z.strictObject({
      ...pageQuery,
      pipeline: nameSchema.optional(),
      state: runStateSchema.optional(),
    }),
    response: pageSchema(runSchema),
    status: 200,
  },
  getRun: {
    method: 'GET',
    path: '/v1/runs/{run}',
    role: 'viewer',
    summary: 'One run with its steps',
    params: runParams,
    response: runSchema,
    status: 200,
  },
  cancelRun: {
    method: 'POST',
    path: '/v1/runs/{run}/cancel',
    role: 'operator',
    summary: 'Cancel a run that is queued or running',
    params: runParams,
    response: runSchema,
    status: 200,
  },
  listRunEvents: {
    method: 'GET',
    path: '/v1/runs/{run}/events',
    role: 'viewer',
    summary:
      'The events a run is made of, oldest first; as server-sent events with live progress when asked for text/event-stream',
    params: runParams,
    query: pageQuerySchema,
    response: pageSchema(storedRunEventSchema),
    status: 200,
    alsoAs: 'text/event-stream',
  },
  listTriggers: {
    method: 'GET',
    path: '/v1/triggers',
    role: 'viewer',
    summary: 'Why runs started and why they did not, newest first',
    query: z.strictObject({
      ...pageQuery,
      pipeline: nameSchema.optional(),
      outcome: triggerOutcomeSchema.optional(),
    }),
    response: pageSchema(triggerRecordSchema),
    status: 200,
  },
  startBackfill: {
    method: 'POST',
    path: '/v1/pipelines/{pipeline}/backfills',
    role: 'operator',
    summary: 'Run a pipeline once for each day of a stretch, in order',
    params: pipelineParams,
    body: z.strictObject({ from: daySchema, to: daySchema, force: z.boolean().default(false) }),
    response: backfillSchema,
    status: 202,
  },
  listBackfills: {
    method: 'GET',
    path: '/v1/backfills',
    role: 'viewer',
    summary: 'Backfills, newest first',
    query: z.strictObject({ ...pageQuery, pipeline: nameSchema.optional() }),
    response: pageSchema(backfillSchema),
    status: 200,
  },
  getBackfill: {
    method: 'GET',
    path: '/v1/backfills/{backfill}',
    role: 'viewer',
    summary: 'One backfill',
    params: backfillParams,
    response: backfillSchema,
    status: 200,
  },
  resumeBackfill: {
    method: 'POST',
    path: '/v1/backfills/{backfill}/resume',
    role: 'operator',
    summary: 'Go on with a stopped backfill at the day it stopped at',
    params: backfillParams,
    response: backfillSchema,
    status: 200,
  },
  stopBackfill: {
    method: 'POST',
    path: '/v1/backfills/{backfill}/stop',
    role: 'operator',
    summary: 'Stop a backfill after the run that is under way',
    params: backfillParams,
    response: backfillSchema,
    status: 200,
  },
  postStreamEvents: {
    method: 'POST',
    path: '/v1/streams/{stream}/events',
    role: 'predictor',
    summary: 'Add events to a stream; enough of them start a run',
    params: z.strictObject({ stream: nameSchema }),
    body: streamRequestSchema,
    response: streamResponseSchema,
    status: 202,
  },
  listStreams: {
    method: 'GET',
    path: '/v1/streams',
    role: 'viewer',
    summary: 'Streams by name',
    query: pageQuerySchema,
    response: pageSchema(streamSchema),
    status: 200,
  },
  listDatasets: {
    method: 'GET',
    path: '/v1/datasets',
    role: 'viewer',
    summary: 'Dataset versions, newest first',
    query: z.strictObject({ ...pageQuery, pipeline: nameSchema.optional() }),
    response: pageSchema(datasetSummarySchema),
    status: 200,
  },
  getDataset: {
    method: 'GET',
    path: '/v1/datasets/{dataset}',
    role: 'viewer',
    summary: 'One dataset version with its manifest and data card',
    params: z.strictObject({ dataset: digestSchema }),
    response: datasetVersionSchema,
    status: 200,
  },
  listModels: {
    method: 'GET',
    path: '/v1/models',
    role: 'viewer',
    summary: 'Registered models',
    query: pageQuerySchema,
    response: pageSchema(modelSchema),
    status: 200,
  },
  getModel: {
    method: 'GET',
    path: '/v1/models/{model}',
    role: 'viewer',
    summary: 'One model',
    params: modelParams,
    response: modelSchema,
    status: 200,
  },
  listVersions: {
    method: 'GET',
    path: '/v1/models/{model}/versions',
    role: 'viewer',
    summary: 'Versions of a model, newest first',
    params: modelParams,
    query: pageQuerySchema,
    response: pageSchema(modelVersionSchema),
    status: 200,
  },
  getVersion: {
    method: 'GET',
    path: '/v1/models/{model}/versions/{version}',
    role: 'viewer',
    summary: 'One version with its card',
    params: versionParams,
    response: modelVersionDetailSchema,
    status: 200,
  },
  getModelCard: {
    method: 'GET',
    path: '/v1/models/{model}/versions/{version}/card',
    role: 'viewer',
    summary: 'The model card as JSON, or as Markdown when asked for text/markdown',
    params: versionParams,
    response: modelCardSchema,
    status: 200,
    alsoAs: 'text/markdown',
  },
  listAliases: {
    method: 'GET',
    path: '/v1/models/{model}/aliases',
    role: 'viewer',
    summary: 'Where the aliases of a model point',
    params: modelParams,
    query: pageQuerySchema,
    response: pageSchema(aliasSchema),
    status: 200,
  },
  listAliasMoves: {
    method: 'GET',
    path: '/v1/models/{model}/aliases/{alias}/history',
    role: 'viewer',
    summary: 'Every move of an alias, newest first',
    params: modelParams.extend({ alias: nameSchema }),
    query: pageQuerySchema,
    response: pageSchema(aliasMoveSchema),
    status: 200,
  },
  listReleases: {
    method: 'GET',
    path: '/v1/releases',
    role: 'viewer',
    summary: 'Releases, newest first',
    query: z.strictObject({ ...pageQuery, model: nameSchema.optional() }),
    response: pageSchema(releaseSchema),
    status: 200,
  },
  getRelease: {
    method: 'GET',
    path: '/v1/releases/{release}',
    role: 'viewer',
    summary: 'One release',
    params: z.strictObject({ release: idSchema('release') }),
    response: releaseSchema,
    status: 200,
  },
  approveRelease: {
    method: 'POST',
    path: '/v1/releases/{release}/approve',
    role: 'approver',
    summary: 'Approve a pending release: its version goes live',
    params: z.strictObject({ release: idSchema('release') }),
    body: decisionSchema,
    response: releaseSchema,
    status: 200,
  },
  rejectRelease: {
    method: 'POST',
    path: '/v1/releases/{release}/reject',
    role: 'approver',
    summary: 'Reject a pending release',
    params: z.strictObject({ release: idSchema('release') }),
    body: decisionSchema,
    response: releaseSchema,
    status: 200,
  },
  predict: {
    method: 'POST',
    path: '/v1/models/{model}/predict',
    role: 'predictor',
    summary: 'Predict with the champion; every answer is on record before it is sent',
    params: modelParams,
    body: predictRequestSchema,
    response: predictResponseSchema,
    status: 200,
  },
  listPredictions: {
    method: 'GET',
    path: '/v1/predictions',
    role: 'viewer',
    summary: 'Logged predictions of a model, newest first',
    query: z.strictObject({
      ...pageQuery,
      model: nameSchema,
      key: textSchema({ max: 256 }).optional(),
    }),
    response: pageSchema(predictionSchema),
    status: 200,
  },
  getPrediction: {
    method: 'GET',
    path: '/v1/predictions/{prediction}',
    role: 'viewer',
    summary: 'One logged prediction',
    params: z.strictObject({ prediction: idSchema('prediction') }),
    response: predictionSchema,
    status: 200,
  },
  postGroundTruth: {
    method: 'POST',
    path: '/v1/ground-truth',
    role: 'predictor',
    summary: 'Record what turned out to be true; late and repeated is fine, the newest counts',
    body: groundTruthRequestSchema,
    response: groundTruthResponseSchema,
    status: 202,
  },
  getMonitoring: {
    method: 'GET',
    path: '/v1/models/{model}/monitoring',
    role: 'viewer',
    summary: 'Live quality, prediction bias and staleness of a model, per day',
    params: modelParams,
    query: z.strictObject({ from: daySchema.optional(), to: daySchema.optional() }),
    response: monitoringReportSchema,
    status: 200,
  },
  getDoctor: {
    method: 'GET',
    path: '/v1/doctor',
    role: 'viewer',
    summary: 'What the platform found on its machine, and what is missing for better',
    response: doctorReportSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof ROUTES;

/** What a caller passes for a route: path parameters, query and body, before defaults are filled in. */
export type RouteInput<Name extends RouteName> = InputPart<Name, 'params'> &
  InputPart<Name, 'query'> &
  InputPart<Name, 'body'>;
type InputPart<Name extends RouteName, Part extends 'params' | 'query' | 'body'> =
  (typeof ROUTES)[Name] extends Record<Part, infer Schema extends z.ZodType>
    ? Record<Part, z.input<Schema>>
    : unknown;

/** What a handler receives: the same parts, checked and with defaults. */
export type RouteRequest<Name extends RouteName> = OutputPart<Name, 'params'> &
  OutputPart<Name, 'query'> &
  OutputPart<Name, 'body'>;
type OutputPart<Name extends RouteName, Part extends 'params' | 'query' | 'body'> =
  (typeof ROUTES)[Name] extends Record<Part, infer Schema extends z.ZodType>
    ? Record<Part, z.output<Schema>>
    : unknown;

export type RouteResponse<Name extends RouteName> = z.output<(typeof ROUTES)[Name]['response']>;
