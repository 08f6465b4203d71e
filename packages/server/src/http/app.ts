import type { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { ROUTES, parseId } from '@perennial/contract';
import type { RunProgressHub } from '@perennial/orchestration';
import { getRun } from '@perennial/storage';
import { admit, admitToModels, type Admission } from '../access/admission.ts';
import { registerOpenIdRoutes } from '../access/openid-routes.ts';
import { createMlflowHandlers } from '../mlflow/handlers.ts';
import { registerMlflowRoutes } from '../mlflow/register-mlflow.ts';
import { createOipHandlers, type OipDependencies } from '../oip/handlers.ts';
import { registerOipRoutes } from '../oip/register-oip.ts';
import { registerDocsPage } from './docs-page.ts';
import { createHandlers, type HandlerDependencies } from './handlers.ts';
import { idempotentAnswers } from './idempotency.ts';
import { checkPart } from './invalid-request.ts';
import { openApiDocument } from './openapi.ts';
import { APPROACH, type Approach } from './request-origin.ts';
import { registerRoutes } from './route-registration.ts';
import { streamRunEvents } from './run-events-stream.ts';
import { createSystemApp, type SystemOptions } from './system-app.ts';

export interface AppOptions extends HandlerDependencies, SystemOptions, Admission, OipDependencies {
  approach: Approach;
  maxBodyBytes: number;
  maxUploadBytes: number;
  progress: RunProgressHub;
  version: string;
}

/** The HTTP API as a Hono app; `app.request()` is all a test needs. */
export function createApp(options: AppOptions): Hono {
  const app = createSystemApp(options);
  app.use((c, next) => {
    c.set(APPROACH as never, options.approach as never);
    return next();
  });
  const document = openApiDocument(options.version);
  app.get('/openapi.json', (c) => c.json(document));
  registerDocsPage(app);
  registerEventStream(app, options);
  registerOpenIdRoutes(app, options.access);
  registerRoutes(app, createHandlers(options), { ...options, idempotency: idempotentAnswers(options) });
  registerMlflowRoutes(app, createMlflowHandlers(options), options);
  registerOipRoutes(app, createOipHandlers(options), options);
  return app;
}

/** The events of a run as a stream, for who accepts one; others fall through to the list. */
function registerEventStream(app: Hono, options: AppOptions): void {
  const { database, progress, readiness, logger } = options;
  const { role, scope, params } = ROUTES.listRunEvents;
  app.get('/v1/runs/:run/events', async (c, next) => {
    if (c.req.header('accept')?.includes('text/event-stream') !== true) return next();
    const principal = await admit(c, role, options);
    const { run } = checkPart('path', params, c.req.param());
    const route = { name: 'listRunEvents', scope };
    await admitToModels(principal, { route, request: { params: { run } } }, options);
    await getRun(database.orm, parseId('run', run));
    const sources = { database, progress, stopping: readiness.stopping };
    return streamSSE(
      c,
      (stream) => streamRunEvents(stream, run, sources),
      async (error) => logger.warn({ run, err: error }, 'a watched run cannot be followed'),
    );
  });
}
