import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { modelCardSchema } from '../model-card.ts';
import { modelSchema, modelVersionDetailSchema, modelVersionSchema } from '../model.ts';
import { nameSchema } from '../names.ts';
import { pageQuerySchema, pageSchema } from '../paging.ts';
import { aliasMoveSchema, aliasSchema } from '../release.ts';
import { reproductionSchema } from '../reproduction.ts';
import { toolkitCardSchema } from '../toolkit-card.ts';
import { modelParams, versionParams } from './params.ts';
import type { Route } from './route.ts';

export const MODEL_ROUTES = {
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
    summary: 'The model card as JSON, as Markdown (text/markdown) or as a page of its own (text/html)',
    params: versionParams,
    response: modelCardSchema,
    status: 200,
    alsoAs: ['text/markdown', 'text/html'],
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
  getToolkitCard: {
    method: 'GET',
    path: '/v1/models/{model}/versions/{version}/card/toolkit',
    role: 'viewer',
    summary: "The model card in the fields of Google's Model Card Toolkit, schema 0.0.2",
    params: versionParams,
    response: toolkitCardSchema,
    status: 200,
  },
  startReproduction: {
    method: 'POST',
    path: '/v1/models/{model}/versions/{version}/reproductions',
    role: 'operator',
    summary: 'Make a version again from its manifest and compare',
    params: versionParams,
    response: reproductionSchema,
    status: 202,
  },
  getReproduction: {
    method: 'GET',
    path: '/v1/reproductions/{reproduction}',
    role: 'viewer',
    summary: 'How a reproduction came out',
    params: z.strictObject({ reproduction: idSchema('reproduction') }),
    response: reproductionSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
