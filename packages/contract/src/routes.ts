import type { z } from 'zod';
import { RUN_ROUTES } from './routes/pipelines-and-runs.ts';
import { TRIGGER_ROUTES } from './routes/triggers.ts';
import { DATASET_ROUTES } from './routes/datasets.ts';
import { MODEL_ROUTES } from './routes/models.ts';
import { RELEASE_ROUTES } from './routes/releases.ts';
import { PREDICTION_ROUTES } from './routes/predictions.ts';
import { ADVICE_ROUTES } from './routes/advice.ts';
import { ASYNC_PREDICTION_ROUTES } from './routes/async-predictions.ts';
import { OFFLINE_ROUTES } from './routes/offline.ts';
import { MONITORING_ROUTES } from './routes/monitoring.ts';
import { ACCESS_ROUTES } from './routes/access.ts';
import { BATCH_ROUTES } from './routes/batches.ts';
import { RETENTION_ROUTES } from './routes/retention.ts';
import { ENDPOINT_ROUTES } from './routes/endpoints.ts';
import { WEBHOOK_ROUTES } from './routes/webhooks.ts';
import type { Route } from './routes/route.ts';

export { decisionSchema } from './routes/releases.ts';
export { startRunSchema } from './routes/pipelines-and-runs.ts';
export type { Route } from './routes/route.ts';

/** Every route of the REST API: the server, the OpenAPI document and the client are all made from this table. */
export const ROUTES = {
  ...RUN_ROUTES,
  ...TRIGGER_ROUTES,
  ...DATASET_ROUTES,
  ...MODEL_ROUTES,
  ...RELEASE_ROUTES,
  ...PREDICTION_ROUTES,
  ...ASYNC_PREDICTION_ROUTES,
  ...BATCH_ROUTES,
  ...OFFLINE_ROUTES,
  ...ADVICE_ROUTES,
  ...MONITORING_ROUTES,
  ...WEBHOOK_ROUTES,
  ...ACCESS_ROUTES,
  ...RETENTION_ROUTES,
  ...ENDPOINT_ROUTES,
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof ROUTES;

/** What a caller passes for a route: path parameters, query and body, before defaults are filled in. */
export type RouteInput<Name extends RouteName> = InputPart<Name, 'params'> &
  InputPart<Name, 'query'> &
  InputPart<Name, 'body'>;
type InputPart<Name extends RouteName, Part extends 'params' | 'query' | 'body'> =
  (typeof ROUTES)[Name] extends Record<Part, infer Schema extends z.ZodType>
    ? Record<Part, z.input<Schema>>
    : unknown;

/** What a handler receives: the same parts, checked and with defaults. */
export type RouteRequest<Name extends RouteName> = OutputPart<Name, 'params'> &
  OutputPart<Name, 'query'> &
  OutputPart<Name, 'body'>;
type OutputPart<Name extends RouteName, Part extends 'params' | 'query' | 'body'> =
  (typeof ROUTES)[Name] extends Record<Part, infer Schema extends z.ZodType>
    ? Record<Part, z.output<Schema>>
    : unknown;

export type RouteResponse<Name extends RouteName> = z.output<(typeof ROUTES)[Name]['response']>;
