import { z } from 'zod';
import { instantSchema, nameSchema } from '../names.ts';
import { pageQuery, pageQuerySchema, pageSchema } from '../paging.ts';
import { pipelineSchema } from '../pipeline-spec.ts';
import { runSchema, runStateSchema, storedRunEventSchema } from '../run.ts';
import { triggerKindSchema } from '../trigger.ts';
import { pipelineParams, runParams } from './params.ts';
import type { Route } from './route.ts';

export const startRunSchema = z.strictObject({
  /** The instant the run looks at the world from; now when absent. */
  asOf: instantSchema.optional(),
  /** Do the work again even where an earlier run's output would stand for it. */
  force: z.boolean().default(false),
  trigger: triggerKindSchema.default('request'),
});

export const RUN_ROUTES = {
  listPipelines: {
    method: 'GET',
    path: '/v1/pipelines',
    role: 'viewer',
    scope: 'list',
    summary: 'The pipelines that are loaded',
    query: pageQuerySchema,
    response: pageSchema(pipelineSchema),
    status: 200,
  },
  getPipeline: {
    method: 'GET',
    path: '/v1/pipelines/{pipeline}',
    role: 'viewer',
    scope: 'model',
    summary: 'One pipeline in its normal form',
    params: pipelineParams,
    response: pipelineSchema,
    status: 200,
  },
  startRun: {
    method: 'POST',
    path: '/v1/pipelines/{pipeline}/runs',
    role: 'operator',
    scope: 'model',
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
    scope: 'list',
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
    scope: 'resource',
    summary: 'One run with its steps',
    params: runParams,
    response: runSchema,
    status: 200,
  },
  cancelRun: {
    method: 'POST',
    path: '/v1/runs/{run}/cancel',
    role: 'operator',
    scope: 'resource',
    summary: 'Cancel a run that is queued or running',
    params: runParams,
    response: runSchema,
    status: 200,
  },
  listRunEvents: {
    method: 'GET',
    path: '/v1/runs/{run}/events',
    role: 'viewer',
    scope: 'resource',
    summary:
      'The events a run is made of, oldest first; as server-sent events with live progress when asked for text/event-stream',
    params: runParams,
    query: pageQuerySchema,
    response: pageSchema(storedRunEventSchema),
    status: 200,
    alsoAs: ['text/event-stream'],
  },
} as const satisfies Record<string, Route>;
