import type { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { ROUTES, parseId } from '@perennial/contract';
import type { RunProgressHub } from '@perennial/orchestration';
import { getRun } from '@perennial/storage';
import { authorize, credentialsOf, type Authenticate } from './authentication.ts';
import { registerDocsPage } from './docs-page.ts';
import { createHandlers, type HandlerDependencies } from './handlers.ts';
import { checkPart } from './invalid-request.ts';
import { openApiDocument } from './openapi.ts';
import { registerRoutes } from './route-registration.ts';
import { streamRunEvents } from './run-events-stream.ts';
import { createSystemApp, type SystemOptions } from './system-app.ts';

export interface AppOptions extends HandlerDependencies, SystemOptions {
  authenticate: Authenticate;
  maxBodyBytes: number;
  maxUploadBytes: number;
  progress: RunProgressHub;
  version: string;
}

/** The HTTP API as a Hono app; `app.request()` is all a test needs. */
export function createApp(options: AppOptions): Hono {
  const app = createSystemApp(options);
  const document = openApiDocument(options.version);
  app.get('/openapi.json', (c) => c.json(document));
  registerDocsPage(app);
  registerEventStream(app, options);
  registerRoutes(app, createHandlers(options), options);
  return app;
}

/** The events of a run as a stream, for who accepts one; others fall through to the list. */
function registerEventStream(
  app: Hono,
  { authenticate, database, progress, readiness, logger }: AppOptions,
): void {
  app.get('/v1/runs/:run/events', async (c, next) => {
    if (c.req.header('accept')?.includes('text/event-stream') !== true) return next();
    authorize(authenticate(credentialsOf(c)), ROUTES.listRunEvents.role);
    const { run } = checkPart('path', ROUTES.listRunEvents.params, c.req.param());
    await getRun(database.orm, parseId('run', run));
    const sources = { database, progress, stopping: readiness.stopping };
    return streamSSE(
      c,
      (stream) => streamRunEvents(stream, run, sources),
      async (error) => logger.warn({ run, err: error }, 'a watched run cannot be followed'),
    );
  });
}
