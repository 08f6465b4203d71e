import { randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { ROUTES, type PerennialError, type Route } from '@perennial/contract';
import { MethodNotAllowedError, NoSuchRouteError } from '../errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Readiness } from '../platform/readiness.ts';
import { beginRequest, endRequest } from '../tracing/request-trace.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { Metrics } from './metrics.ts';
import { problemHeaders, toProblem } from './problems.ts';
import { setSecurityHeaders } from './security-headers.ts';

/** What every process answers, whatever its role. */
export interface SystemOptions {
  readiness: Readiness;
  metrics: Metrics;
  logger: Logger;
  /** Absent or null: none. */
  tracing?: Tracing | null;
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

/** Gives the request its id and headers, and records how long it took. */
async function observe(
  c: Context<{ Variables: Variables }>,
  { next, options }: { next: () => Promise<void>; options: SystemOptions },
): Promise<void> {
  const started = performance.now();
  const requestId = randomUUID();
  c.set('requestId', requestId);
  const trace = options.tracing ? beginRequest(c, options.tracing) : undefined;
  await next();
  c.res.headers.set('x-request-id', requestId);
  setSecurityHeaders(c.res.headers);
  const seconds = (performance.now() - started) / 1000;
  const labels = { method: c.req.method, route: c.req.routePath, status: c.res.status };
  options.metrics.request(labels, seconds);
  if (trace !== undefined) endRequest(trace, labels);
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
    const model = c.req.query('model');
    const report = await (model === undefined ? readiness.check() : readiness.checkModel(model));
    return c.json(report, report.ready ? 200 : 503);
  });
  app.get('/metrics', async (c) =>
    c.body(await metrics.text(), 200, { 'content-type': metrics.registry.contentType }),
  );
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
