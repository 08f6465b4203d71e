import { idSchema } from '../ids.ts';
import { pageQuerySchema, pageSchema } from '../paging.ts';
import {
  entityKeySchema,
  lookupSchema,
  lookupsRequestSchema,
  lookupsResponseSchema,
  precomputationRequestSchema,
  precomputationSchema,
} from '../precomputation.ts';
import { modelParams } from './params.ts';
import type { Route } from './route.ts';

const precomputationParams = modelParams.extend({ precomputation: idSchema('precomputation') });

export const OFFLINE_ROUTES = {
  startPrecomputation: {
    method: 'POST',
    path: '/v1/models/{model}/precomputations',
    role: 'operator',
    scope: 'model',
    summary:
      'Score the known entities with the champion; the answers replace those before once all are there',
    params: modelParams,
    body: precomputationRequestSchema,
    response: precomputationSchema,
    status: 202,
  },
  listPrecomputations: {
    method: 'GET',
    path: '/v1/models/{model}/precomputations',
    role: 'viewer',
    scope: 'model',
    summary: 'Precomputations of a model, newest first',
    params: modelParams,
    query: pageQuerySchema,
    response: pageSchema(precomputationSchema),
    status: 200,
  },
  getPrecomputation: {
    method: 'GET',
    path: '/v1/models/{model}/precomputations/{precomputation}',
    role: 'viewer',
    scope: 'model',
    summary: 'One precomputation, with how far it is',
    params: precomputationParams,
    response: precomputationSchema,
    status: 200,
  },
  cancelPrecomputation: {
    method: 'POST',
    path: '/v1/models/{model}/precomputations/{precomputation}/cancel',
    role: 'operator',
    scope: 'model',
    summary: 'Stop a precomputation; what answers now goes on answering',
    params: precomputationParams,
    response: precomputationSchema,
    status: 200,
  },
  lookupPrediction: {
    method: 'GET',
    path: '/v1/models/{model}/predictions/{key}',
    role: 'predictor',
    scope: 'model',
    summary: 'The answer that was computed for an entity before it was asked for',
    params: modelParams.extend({ key: entityKeySchema }),
    response: lookupSchema,
    status: 200,
  },
  lookupPredictions: {
    method: 'POST',
    path: '/v1/models/{model}/lookups',
    role: 'predictor',
    scope: 'model',
    summary: 'The answers that were computed for up to 1,000 entities, all of one version',
    params: modelParams,
    body: lookupsRequestSchema,
    response: lookupsResponseSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
