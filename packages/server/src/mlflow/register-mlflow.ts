import type { Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { admit, admitToModels, type Admission } from '../access/admission.ts';
import { NoSuchRouteError } from '../errors.ts';
import { credentialsOf } from '../http/authentication.ts';
import { checkPart } from '../http/invalid-request.ts';
import { readJsonBody } from '../http/json-body.ts';
import { problemHeaders } from '../http/problems.ts';
import { baseUrlOf, originOf } from '../http/request-origin.ts';
import type { HandlerContext } from '../http/route-registration.ts';
import { traceOf } from '../tracing/request-trace.ts';
import type { Logger } from '../platform/logger.ts';
import { toMlflowError } from './mlflow-errors.ts';
import type { MlflowHandlers } from './handlers.ts';
import { MLFLOW_ROUTES, type MlflowRoute, type MlflowRouteName } from './routes.ts';

export interface MlflowOptions extends Admission {
  maxBodyBytes: number;
  logger: Logger;
}

type Handler = (request: unknown, context: HandlerContext) => Promise<object>;

/** Puts the part of MLflow's registry that is offered on the app. Who may do what is decided as for every other route; errors are told in MLflow's way. */
export function registerMlflowRoutes(app: Hono, handlers: MlflowHandlers, options: MlflowOptions): void {
  for (const name of Object.keys(MLFLOW_ROUTES) as MlflowRouteName[]) {
    const route: MlflowRoute = MLFLOW_ROUTES[name];
    const handler = handlers[name] as Handler;
    app.on(route.method, route.path, (c) => answer(c, { name, route, handler, options }));
  }
  app.all('/api/2.0/mlflow/*', (c) => answerError(c, new NoSuchRouteError(c.req.path), options));
}

interface Registered {
  name: MlflowRouteName;
  route: MlflowRoute;
  handler: Handler;
  options: MlflowOptions;
}

async function answer(c: Context, { name, route, handler, options }: Registered): Promise<Response> {
  try {
    const principal = await admit(c, route.role, options);
    const request = await readRequest(c, route.request, options.maxBodyBytes);
    // What is searched for is held to the caller's models by the search itself, so that its pages are full.
    if (route.scope === 'model') {
      const held = { route: { name, scope: route.scope }, request: { params: { model: request['name'] } } };
      await admitToModels(principal, held, options);
    }
    const answered = await handler(request, {
      principal,
      credentials: credentialsOf(c),
      accept: c.req.header('accept') ?? '',
      cacheControl: undefined,
      baseUrl: baseUrlOf(c),
      origin: originOf(c),
      signal: c.req.raw.signal,
      trace: traceOf(c),
    });
    return c.json(answered);
  } catch (error) {
    return answerError(c, error, options);
  }
}

/** Parameters of GET come in the query, where one that is repeated is a list; those of all others in the body. */
async function readRequest(
  c: Context,
  schema: z.ZodObject,
  maxBytes: number,
): Promise<Record<string, unknown>> {
  if (c.req.method !== 'GET') return checkPart('body', schema, await readJsonBody(c, maxBytes));
  const given = Object.entries(c.req.queries()).map(([name, values]) => [
    name,
    values.length === 1 ? values[0] : values,
  ]);
  return checkPart('query', schema, Object.fromEntries(given));
}

function answerError(c: Context, error: unknown, { logger }: MlflowOptions): Response {
  const { status, body } = toMlflowError(error);
  if (status === 500) logger.error({ requestId: c.get('requestId') as string, err: error }, 'request failed');
  const headers = { ...problemHeaders(error), 'content-type': 'application/json' };
  return c.json(body, status as ContentfulStatusCode, headers);
}
