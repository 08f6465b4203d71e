import { randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { ROUTES, parseId, type PerennialError, type Route } from '@perennial/contract';
import type { RunProgressHub } from '@perennial/orchestration';
import { getRun } from '@perennial/storage';
import { MethodNotAllowedError, NoSuchRouteError } from '../errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Readiness } from '../platform/readiness.ts';
import { authorize, credentialsOf, type Authenticate } from './authentication.ts';
import { registerDocsPage } from './docs-page.ts';
import { createHandlers, type HandlerDependencies } from './handlers.ts';
import { checkPart } from './invalid-request.ts';
import type { Metrics } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import { problemHeaders, toProblem } from './problems.ts';
import { registerRoutes } from './route-registration.ts';
import { streamRunEvents } from './run-events-stream.ts';
import { setSecurityHeaders } from './security-headers.ts';

/** What every process answers, whatever its role. */
export interface SystemOptions {
  readiness: Readiness;
  metrics: Metrics;
  logger: Logger;
}

export interface AppOptions extends HandlerDependencies, SystemOptions {
  authenticate: Authenticate;
  maxBodyBytes: number;
  progress: RunProgressHub;
  version: string;
}

type Variables = { requestId: string };

/** Health, readiness and metrics: all that a process answers which is no server. */
export function createSystemApp(options: SystemOptions): Hono {
  const app = new Hono<{ Variables: Variables }>();
  app.use(async (c, next) => observe(c, { next, options }));
  app.onError((error, c) => answerError(c, error, options.logger));
  app.notFound((c) => answerError(c, unknownRoute(c.req.method, c.req.path), options.logger));
  registerSystemRoutes(app as unknown as Hono, options);
  return app as unknown as Hono;
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

/** Gives the request its id and headers, and records how long it took. */
async function observe(
  c: Context<{ Variables: Variables }>,
  { next, options }: { next: () => Promise<void>; options: SystemOptions },
): Promise<void> {
  const started = performance.now();
  const requestId = randomUUID();
  c.set('requestId', requestId);
  await next();
  c.res.headers.set('x-request-id', requestId);
  setSecurityHeaders(c.res.headers);
  const seconds = (performance.now() - started) / 1000;
  const labels = { method: c.req.method, route: c.req.routePath, status: c.res.status };
  options.metrics.request(labels, seconds);
  options.logger.debug({ requestId, ...labels, seconds }, 'request');
}

function answerError(c: Context<{ Variables: Variables }>, error: unknown, logger: Logger): Response {
  const requestId = c.get('requestId');
  const problem = toProblem(error, requestId);
  if (problem.status === 500) logger.error({ requestId, err: error }, 'request failed');
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: problemHeaders(error),
  });
}

function registerSystemRoutes(app: Hono, { readiness, metrics }: SystemOptions): void {
  app.get('/healthz', (c) => c.json({ live: true }));
  app.get('/readyz', async (c) => {
    const report = await readiness.check();
    return c.json(report, report.ready ? 200 : 503);
  });
  app.get('/metrics', async (c) =>
    c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
  );
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

const ROUTE_PATTERNS = Object.values<Route>(ROUTES).map((route) => ({
  method: route.method,
  pattern: new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`),
}));

function unknownRoute(method: string, path: string): PerennialError {
  const allowed = ROUTE_PATTERNS.filter(({ pattern }) => pattern.test(path)).map((route) => route.method);
  return allowed.length > 0 && !allowed.some((one) => one === method)
    ? new MethodNotAllowedError(allowed)
    : new NoSuchRouteError(path);
}
