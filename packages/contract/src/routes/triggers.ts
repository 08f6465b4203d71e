import { z } from 'zod';
import { backfillSchema } from '../backfill.ts';
import { daySchema, nameSchema } from '../names.ts';
import { pageQuery, pageQuerySchema, pageSchema } from '../paging.ts';
import { streamRequestSchema, streamResponseSchema, streamSchema } from '../stream.ts';
import { triggerOutcomeSchema, triggerRecordSchema } from '../trigger.ts';
import { pipelineParams, backfillParams } from './params.ts';
import type { Route } from './route.ts';

export const TRIGGER_ROUTES = {
  listTriggers: {
    method: 'GET',
    path: '/v1/triggers',
    role: 'viewer',
    scope: 'list',
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
    scope: 'model',
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
    scope: 'list',
    summary: 'Backfills, newest first',
    query: z.strictObject({ ...pageQuery, pipeline: nameSchema.optional() }),
    response: pageSchema(backfillSchema),
    status: 200,
  },
  getBackfill: {
    method: 'GET',
    path: '/v1/backfills/{backfill}',
    role: 'viewer',
    scope: 'resource',
    summary: 'One backfill',
    params: backfillParams,
    response: backfillSchema,
    status: 200,
  },
  resumeBackfill: {
    method: 'POST',
    path: '/v1/backfills/{backfill}/resume',
    role: 'operator',
    scope: 'resource',
    summary: 'Go on with a stopped backfill at the day it stopped at',
    params: backfillParams,
    response: backfillSchema,
    status: 200,
  },
  stopBackfill: {
    method: 'POST',
    path: '/v1/backfills/{backfill}/stop',
    role: 'operator',
    scope: 'resource',
    summary: 'Stop a backfill after the run that is under way',
    params: backfillParams,
    response: backfillSchema,
    status: 200,
  },
  postStreamEvents: {
    method: 'POST',
    path: '/v1/streams/{stream}/events',
    role: 'predictor',
    scope: 'any',
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
    scope: 'installation',
    summary: 'Streams by name',
    query: pageQuerySchema,
    response: pageSchema(streamSchema),
    status: 200,
  },
} as const satisfies Record<string, Route>;
