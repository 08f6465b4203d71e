import { nameSchema, tagKeySchema, textSchema, versionNumberSchema, type Role } from '@perennial/contract';
import { z } from 'zod';
import { mlflowModelSchema, mlflowVersionSchema } from './entities.ts';

/**
 * One route of MLflow's registry. Its requests may hold more than is asked for here: newer clients send more. Parameters of GET come in the query, those of all others in a
 * JSON body.
 */
export interface MlflowRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  /** The least role that may call it; a route without one does not compile. */
  role: Role;
  /** `model`: the parameter `name` is a model, and a caller who is held to models must be held to it. `list`: only those of the caller's models are found. */
  scope: 'model' | 'list';
  summary: string;
  request: z.ZodObject;
  response: z.ZodType;
}

const name = nameSchema;
const ofModel = z.object({ name });
const ofVersion = z.object({ name, version: versionNumberSchema });
const description = textSchema({ max: 10_000 }).default('');
const tag = { key: tagKeySchema, value: textSchema({ max: 5_000 }) };
const model = z.strictObject({ registered_model: mlflowModelSchema });
const version = z.strictObject({ model_version: mlflowVersionSchema });
const nothing = z.strictObject({});

const ofStages = ofModel.extend({
  /** The only stage there is: None. Absent or empty: every stage. */
  stages: z
    .preprocess(
      (given) => (typeof given === 'string' ? [given] : given),
      z.array(z.string().max(100)).max(10),
    )
    .default([]),
});

/** Without a filter everything is found. */
const search = (most: number) => ({
  filter: z.string().max(5_000).default(''),
  /** MLflow's clients ask for as many as 200,000 at once; a page holds fewer, and says how the next is had. */
  max_results: z.coerce
    .number<number>()
    .int()
    .min(1)
    .default(100)
    .transform((given) => Math.min(given, most)),
  order_by: z
    .preprocess((given) => (typeof given === 'string' ? [given] : given), z.array(z.string().max(100)).max(5))
    .default([]),
  page_token: z.string().max(100).optional(),
});

/** The part of MLflow's registry that is there, and the part that cannot be: routes of the latter answer why. */
export const MLFLOW_ROUTES = {
  getRegisteredModel: {
    method: 'GET',
    path: '/api/2.0/mlflow/registered-models/get',
    role: 'viewer',
    scope: 'model',
    summary: 'One model',
    request: ofModel,
    response: model,
  },
  searchRegisteredModels: {
    method: 'GET',
    path: '/api/2.0/mlflow/registered-models/search',
    role: 'viewer',
    scope: 'list',
    summary: 'Models by a filter over name and tags',
    request: z.object(search(1_000)),
    response: z.strictObject({
      registered_models: z.array(mlflowModelSchema),
      next_page_token: z.string().optional(),
    }),
  },
  getLatestVersions: {
    method: 'GET',
    path: '/api/2.0/mlflow/registered-models/get-latest-versions',
    role: 'viewer',
    scope: 'model',
    summary: 'The newest version, which is in the only stage there is: None',
    request: ofStages,
    response: z.strictObject({ model_versions: z.array(mlflowVersionSchema) }),
  },
  postLatestVersions: {
    method: 'POST',
    path: '/api/2.0/mlflow/registered-models/get-latest-versions',
    role: 'viewer',
    scope: 'model',
    summary: 'The same, as clients ask that send their stages in a body',
    request: ofStages,
    response: z.strictObject({ model_versions: z.array(mlflowVersionSchema) }),
  },
  updateRegisteredModel: {
    method: 'PATCH',
    path: '/api/2.0/mlflow/registered-models/update',
    role: 'operator',
    scope: 'model',
    summary: "Change a model's description",
    request: ofModel.extend({ description }),
    response: model,
  },
  setRegisteredModelTag: {
    method: 'POST',
    path: '/api/2.0/mlflow/registered-models/set-tag',
    role: 'operator',
    scope: 'model',
    summary: 'Set a tag of a model',
    request: ofModel.extend(tag),
    response: nothing,
  },
  deleteRegisteredModelTag: {
    method: 'DELETE',
    path: '/api/2.0/mlflow/registered-models/delete-tag',
    role: 'operator',
    scope: 'model',
    summary: 'Remove a tag of a model',
    request: ofModel.extend({ key: tagKeySchema }),
    response: nothing,
  },
  getModelVersionByAlias: {
    method: 'GET',
    path: '/api/2.0/mlflow/registered-models/alias',
    role: 'viewer',
    scope: 'model',
    summary: 'The version that an alias points to',
    request: ofModel.extend({ alias: nameSchema }),
    response: version,
  },
  setRegisteredModelAlias: {
    method: 'POST',
    path: '/api/2.0/mlflow/registered-models/alias',
    role: 'operator',
    scope: 'model',
    summary: 'Point an alias to a version; champion only as far as one step of a release can',
    request: ofVersion.extend({ alias: nameSchema }),
    response: nothing,
  },
  deleteRegisteredModelAlias: {
    method: 'DELETE',
    path: '/api/2.0/mlflow/registered-models/alias',
    role: 'operator',
    scope: 'model',
    summary: 'Remove an alias other than champion',
    request: ofModel.extend({ alias: nameSchema }),
    response: nothing,
  },
  getModelVersion: {
    method: 'GET',
    path: '/api/2.0/mlflow/model-versions/get',
    role: 'viewer',
    scope: 'model',
    summary: 'One version',
    request: ofVersion,
    response: version,
  },
  searchModelVersions: {
    method: 'GET',
    path: '/api/2.0/mlflow/model-versions/search',
    role: 'viewer',
    scope: 'list',
    summary: 'Versions by a filter over name, number, run and tags',
    request: z.object(search(10_000)),
    response: z.strictObject({
      model_versions: z.array(mlflowVersionSchema),
      next_page_token: z.string().optional(),
    }),
  },
  getDownloadUri: {
    method: 'GET',
    path: '/api/2.0/mlflow/model-versions/get-download-uri',
    role: 'viewer',
    scope: 'model',
    summary: 'Where the artifact can be fetched',
    request: ofVersion,
    response: z.strictObject({ artifact_uri: z.string() }),
  },
  updateModelVersion: {
    method: 'PATCH',
    path: '/api/2.0/mlflow/model-versions/update',
    role: 'operator',
    scope: 'model',
    summary: "Change a version's description",
    request: ofVersion.extend({ description }),
    response: version,
  },
  setModelVersionTag: {
    method: 'POST',
    path: '/api/2.0/mlflow/model-versions/set-tag',
    role: 'operator',
    scope: 'model',
    summary: 'Set a tag of a version',
    request: ofVersion.extend(tag),
    response: nothing,
  },
  deleteModelVersionTag: {
    method: 'DELETE',
    path: '/api/2.0/mlflow/model-versions/delete-tag',
    role: 'operator',
    scope: 'model',
    summary: 'Remove a tag of a version',
    request: ofVersion.extend({ key: tagKeySchema }),
    response: nothing,
  },
  createRegisteredModel: {
    method: 'POST',
    path: '/api/2.0/mlflow/registered-models/create',
    role: 'operator',
    scope: 'model',
    summary: 'Not offered: a model is made by its first version',
    request: ofModel,
    response: nothing,
  },
  renameRegisteredModel: {
    method: 'POST',
    path: '/api/2.0/mlflow/registered-models/rename',
    role: 'operator',
    scope: 'model',
    summary: 'Not offered: names stand in what is on record',
    request: ofModel,
    response: nothing,
  },
  deleteRegisteredModel: {
    method: 'DELETE',
    path: '/api/2.0/mlflow/registered-models/delete',
    role: 'operator',
    scope: 'model',
    summary: 'Not offered: what is on record stays',
    request: ofModel,
    response: nothing,
  },
  createModelVersion: {
    method: 'POST',
    path: '/api/2.0/mlflow/model-versions/create',
    role: 'operator',
    scope: 'model',
    summary: 'Not offered: no version is made from an address',
    request: ofModel,
    response: nothing,
  },
  deleteModelVersion: {
    method: 'DELETE',
    path: '/api/2.0/mlflow/model-versions/delete',
    role: 'operator',
    scope: 'model',
    summary: 'Not offered: versions are immutable',
    request: ofModel,
    response: nothing,
  },
  transitionStage: {
    method: 'POST',
    path: '/api/2.0/mlflow/model-versions/transition-stage',
    role: 'operator',
    scope: 'model',
    summary: 'Not offered: there are no stages',
    request: ofModel,
    response: nothing,
  },
} as const satisfies Record<string, MlflowRoute>;

export type MlflowRouteName = keyof typeof MLFLOW_ROUTES;
export type MlflowRequest<Name extends MlflowRouteName> = z.output<(typeof MLFLOW_ROUTES)[Name]['request']>;
export type MlflowResponse<Name extends MlflowRouteName> = z.output<(typeof MLFLOW_ROUTES)[Name]['response']>;
