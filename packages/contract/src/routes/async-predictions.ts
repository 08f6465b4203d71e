import { z } from 'zod';
import { asyncPredictionSchema, asyncWaitSchema } from '../async-prediction.ts';
import { idSchema } from '../ids.ts';
import { predictRequestSchema } from '../prediction.ts';
import { modelParams } from './params.ts';
import type { Route } from './route.ts';

export const ASYNC_PREDICTION_ROUTES = {
  predictAsync: {
    method: 'POST',
    path: '/v1/models/{model}/predictions:async',
    role: 'predictor',
    scope: 'model',
    summary:
      'Have a prediction answered later; the same as predicting with the header Prefer: respond-async (RFC 7240)',
    params: modelParams,
    body: predictRequestSchema,
    response: asyncPredictionSchema,
    status: 202,
    location: '/v1/async-predictions/{id}',
  },
  getAsyncPrediction: {
    method: 'GET',
    path: '/v1/async-predictions/{asyncPrediction}',
    role: 'predictor',
    scope: 'resource',
    summary: 'What became of an asynchronous prediction; with wait, as soon as it has ended',
    params: z.strictObject({ asyncPrediction: idSchema('asyncPrediction') }),
    query: z.strictObject({ wait: asyncWaitSchema.optional() }),
    response: asyncPredictionSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
