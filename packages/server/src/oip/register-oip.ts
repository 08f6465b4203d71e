import { ERROR_STATUS, describeError, nameSchema, versionNumberSchema } from '@perennial/contract';
import type { Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { admit, admitToModels, type Admission } from '../access/admission.ts';
import { NoSuchRouteError } from '../errors.ts';
import { checkPart } from '../http/invalid-request.ts';
import type { Logger } from '../platform/logger.ts';
import type { OipHandlers } from './handlers.ts';
import type { Target } from './model-directory.ts';
import { tellError } from './tell-error.ts';
import { oipDocument } from './openapi.ts';
import { OIP_ROUTES, type OipRoute, type OipRouteName } from './routes.ts';

export interface OipOptions extends Admission {
  logger: Logger;
  version: string;
}

/** Puts the Open Inference Protocol on the app. Who may do what is decided as for every other route; errors are told in the protocol's way. */
export function registerOipRoutes(app: Hono, handlers: OipHandlers, options: OipOptions): void {
  const document = oipDocument(options.version);
  app.get('/v2/openapi.json', (c) => c.json(document));
  for (const name of Object.keys(OIP_ROUTES) as OipRouteName[]) {
    const route: OipRoute = OIP_ROUTES[name];
    const path = route.path.replace(/\{(\w+)\}/g, ':$1');
    app.on(route.method, path, (c) => answer(c, { name, route, handler: handlers[name], options }));
  }
  for (const path of ['/v2', '/v2/*'])
    app.all(path, (c) => answerError(c, new NoSuchRouteError(c.req.path), options));
}

interface Registered {
  name: OipRouteName;
  route: OipRoute;
  handler: OipHandlers[OipRouteName];
  options: OipOptions;
}

async function answer(c: Context, { name, route, handler, options }: Registered): Promise<Response> {
  try {
    const principal = await admit(c, route.role, options);
    const target = readTarget(c, route);
    if (route.scope === 'model') {
      const held = { route: { name, scope: route.scope }, request: { params: { ...target } } };
      await admitToModels(principal, held, options);
    }
    return await handler({ c, principal, target });
  } catch (error) {
    return answerError(c, error, options);
  }
}

const ofModel = z.object({ model: nameSchema });
const ofVersion = ofModel.extend({ version: versionNumberSchema });

/** What the path names. Routes that name nothing never ask for it. */
function readTarget(c: Context, { path, scope }: OipRoute): Target {
  if (scope !== 'model') return { model: '' };
  return checkPart('path', path.includes('{version}') ? ofVersion : ofModel, c.req.param());
}

function answerError(c: Context, error: unknown, { logger }: OipOptions): Response {
  const status = ERROR_STATUS[describeError(error).code];
  if (status === 500) logger.error({ requestId: c.get('requestId') as string, err: error }, 'request failed');
  const { headers, body } = tellError(error);
  return c.body(body, status as ContentfulStatusCode, headers);
}
