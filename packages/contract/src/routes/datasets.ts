import { z } from 'zod';
import { dataCardSchema, datasetSummarySchema, datasetVersionSchema } from '../dataset.ts';
import { digestSchema, nameSchema } from '../names.ts';
import { pageQuery, pageSchema } from '../paging.ts';
import type { Route } from './route.ts';

export const DATASET_ROUTES = {
  listDatasets: {
    method: 'GET',
    path: '/v1/datasets',
    role: 'viewer',
    scope: 'list',
    summary: 'Dataset versions, newest first',
    query: z.strictObject({ ...pageQuery, pipeline: nameSchema.optional() }),
    response: pageSchema(datasetSummarySchema),
    status: 200,
  },
  getDataset: {
    method: 'GET',
    path: '/v1/datasets/{dataset}',
    role: 'viewer',
    scope: 'resource',
    summary: 'One dataset version with its manifest and data card',
    params: z.strictObject({ dataset: digestSchema }),
    response: datasetVersionSchema,
    status: 200,
  },
  getDataCard: {
    method: 'GET',
    path: '/v1/datasets/{dataset}/card',
    role: 'viewer',
    scope: 'resource',
    summary: 'The data card as JSON, as Markdown (text/markdown) or as a page of its own (text/html)',
    params: z.strictObject({ dataset: digestSchema }),
    response: dataCardSchema,
    status: 200,
    alsoAs: ['text/markdown', 'text/html'],
  },
} as const satisfies Record<string, Route>;
