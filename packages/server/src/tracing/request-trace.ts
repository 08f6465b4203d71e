import type { Context } from 'hono';
import type { Trace, Tracing } from './tracing.ts';

/** The variable of Hono's context that holds the request's trace. */
const TRACE = 'trace';

/** What probes and scrapers ask, many times a minute, tells nobody anything. */
const UNTRACED: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** The trace that a request belongs to; undefined where there is none. */
export function traceOf(c: Context): Trace | undefined {
  return c.get(TRACE) as Trace | undefined;
}

/** Begins the server's span of a request, in the trace of its caller. */
export function beginRequest(c: Context, tracing: Tracing): Trace | undefined {
  if (UNTRACED.has(c.req.path)) return undefined;
  const trace = tracing.begin({
    name: c.req.method,
    kind: 'server',
    traceparent: c.req.header('traceparent'),
    attributes: { 'http.request.method': c.req.method },
  });
  c.set(TRACE, trace);
  return trace;
}

/** By the semantic conventions of OpenTelemetry for HTTP servers: an answer of 500 and above is a failure of the server's. */
export function endRequest(
  trace: Trace,
  { method, route, status }: { method: string; route: string; status: number },
): void {
  trace.rename(`${method} ${route}`);
  trace.set({ 'http.route': route, 'http.response.status_code': status });
  trace.end(status >= 500 ? String(status) : undefined);
}
