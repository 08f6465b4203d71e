import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { nameSchema, textSchema } from '../names.ts';
import { pageQuery, pageSchema } from '../paging.ts';
import { predictRequestSchema, predictResponseSchema, predictionSchema } from '../prediction.ts';
import { modelParams } from './params.ts';
import type { Route } from './route.ts';

export const PREDICTION_ROUTES = {
  predict: {
    method: 'POST',
    path: '/v1/models/{model}/predict',
    role: 'predictor',
    scope: 'model',
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
    scope: 'list',
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
    scope: 'resource',
    summary: 'One logged prediction',
    params: z.strictObject({ prediction: idSchema('prediction') }),
    response: predictionSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
