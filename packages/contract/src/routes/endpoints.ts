import { z } from 'zod';
import { endpointChangeSchema, endpointSchema, residencySchema } from '../endpoint.ts';
import { pageQuery, pageSchema } from '../paging.ts';
import { modelParams } from './params.ts';
import type { Route } from './route.ts';

/** An endpoint has the name of its model. */
export const ENDPOINT_ROUTES = {
  listEndpoints: {
    method: 'GET',
    path: '/v1/endpoints',
    role: 'viewer',
    scope: 'list',
    summary: 'How every model is served, by name',
    query: z.strictObject(pageQuery),
    response: pageSchema(endpointSchema),
    status: 200,
  },
  getEndpoint: {
    method: 'GET',
    path: '/v1/endpoints/{model}',
    role: 'viewer',
    scope: 'model',
    summary: 'How one model is served',
    params: modelParams,
    response: endpointSchema,
    status: 200,
  },
  changeEndpoint: {
    method: 'PATCH',
    path: '/v1/endpoints/{model}',
    role: 'operator',
    scope: 'model',
    summary: 'Say how a model is served that no pipeline makes',
    params: modelParams,
    body: endpointChangeSchema,
    response: endpointSchema,
    status: 200,
  },
  listResidents: {
    method: 'GET',
    path: '/v1/serving/residents',
    role: 'viewer',
    scope: 'installation',
    summary: 'Which models the answering process holds in memory, most recently used first',
    query: z.strictObject({ limit: z.coerce.number<number>().int().min(1).max(1_000).default(100) }),
    response: residencySchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
