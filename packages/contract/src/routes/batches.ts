import { z } from 'zod';
import { batchRequestSchema, batchSchema, batchStateSchema } from '../batch.ts';
import { idSchema } from '../ids.ts';
import { digestSchema, nameSchema } from '../names.ts';
import { pageQuery, pageSchema } from '../paging.ts';
import { modelParams } from './params.ts';
import type { Route } from './route.ts';

const batchParams = z.strictObject({ batch: idSchema('batch') });

export const BATCH_ROUTES = {
  startBatch: {
    method: 'POST',
    path: '/v1/models/{model}/batches',
    role: 'operator',
    scope: 'model',
    summary: 'Score files, or a split of a dataset version, into one Parquet file',
    params: modelParams,
    body: batchRequestSchema,
    response: batchSchema,
    status: 202,
  },
  listBatches: {
    method: 'GET',
    path: '/v1/batches',
    role: 'viewer',
    scope: 'list',
    summary: 'Batches, newest first',
    query: z.strictObject({ ...pageQuery, model: nameSchema.optional(), state: batchStateSchema.optional() }),
    response: pageSchema(batchSchema),
    status: 200,
  },
  getBatch: {
    method: 'GET',
    path: '/v1/batches/{batch}',
    role: 'viewer',
    scope: 'resource',
    summary: 'One batch and how far it is',
    params: batchParams,
    response: batchSchema,
    status: 200,
  },
  cancelBatch: {
    method: 'POST',
    path: '/v1/batches/{batch}/cancel',
    role: 'operator',
    scope: 'resource',
    summary: 'End a batch that has not ended; it has no output',
    params: batchParams,
    response: batchSchema,
    status: 200,
  },
  getBatchOutput: {
    method: 'GET',
    path: '/v1/batches/{batch}/output',
    role: 'viewer',
    scope: 'resource',
    summary:
      'What a batch made: a Parquet file as application/octet-stream, or its digest and size for who asks for JSON',
    params: batchParams,
    response: z.strictObject({ digest: digestSchema, bytes: z.int(), rows: z.int() }),
    status: 200,
    alsoAs: ['application/octet-stream'],
  },
} as const satisfies Record<string, Route>;
