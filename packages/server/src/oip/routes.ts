import type { Route } from '@perennial/contract';

/** One route of the Open Inference Protocol, version 2, or of an extension that Triton's clients use. */
export interface OipRoute {
  method: 'GET' | 'POST';
  path: string;
  /** The least role that may call it; a route without one does not compile. */
  role: Route['role'];
  /** `model`: a caller who is held to models must be held to the one in the path. `list`: only the caller's models are told of. */
  scope: 'any' | 'model' | 'list';
  summary: string;
}

/** Every route, both forms of each path that has two. Health is for everybody, since those who watch over servers bring no token. */
export const OIP_ROUTES = {
  serverLive: {
    method: 'GET',
    path: '/v2/health/live',
    role: 'public',
    scope: 'any',
    summary: 'Whether the server lives',
  },
  serverReady: {
    method: 'GET',
    path: '/v2/health/ready',
    role: 'public',
    scope: 'any',
    summary: 'Whether the server answers predictions',
  },
  serverMetadata: {
    method: 'GET',
    path: '/v2',
    role: 'predictor',
    scope: 'any',
    summary: 'Name, version and extensions of the server',
  },
  serverMetadataSlash: {
    method: 'GET',
    path: '/v2/',
    role: 'predictor',
    scope: 'any',
    summary: 'The same, under the path that the protocol’s own OpenAPI file has',
  },
  modelMetadata: {
    method: 'GET',
    path: '/v2/models/{model}',
    role: 'predictor',
    scope: 'model',
    summary: 'What a model takes and gives',
  },
  versionMetadata: {
    method: 'GET',
    path: '/v2/models/{model}/versions/{version}',
    role: 'predictor',
    scope: 'model',
    summary: 'What a version takes and gives',
  },
  modelReady: {
    method: 'GET',
    path: '/v2/models/{model}/ready',
    role: 'predictor',
    scope: 'model',
    summary: 'Whether a model would answer',
  },
  versionReady: {
    method: 'GET',
    path: '/v2/models/{model}/versions/{version}/ready',
    role: 'predictor',
    scope: 'model',
    summary: 'Whether a version would answer',
  },
  modelInfer: {
    method: 'POST',
    path: '/v2/models/{model}/infer',
    role: 'predictor',
    scope: 'model',
    summary: 'Predictions of the champion, in tensors',
  },
  versionInfer: {
    method: 'POST',
    path: '/v2/models/{model}/versions/{version}/infer',
    role: 'predictor',
    scope: 'model',
    summary: 'Predictions of a version, in tensors',
  },
  repositoryIndex: {
    method: 'POST',
    path: '/v2/repository/index',
    role: 'viewer',
    scope: 'list',
    summary: 'The models there are, and whether they are loaded',
  },
  repositoryLoad: {
    method: 'POST',
    path: '/v2/repository/models/{model}/load',
    role: 'operator',
    scope: 'model',
    summary: 'Load a model before it is asked for',
  },
  repositoryUnload: {
    method: 'POST',
    path: '/v2/repository/models/{model}/unload',
    role: 'operator',
    scope: 'model',
    summary: 'Free a model’s memory until it is asked for again',
  },
} as const satisfies Record<string, OipRoute>;

export type OipRouteName = keyof typeof OIP_ROUTES;
