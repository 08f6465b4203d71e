import type { Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import {
  ROUTES,
  type Route,
  type RouteName,
  type RouteRequest,
  type RouteResponse,
} from '@perennial/contract';
import type { z } from 'zod';
import { authorize, type Authenticate, type Principal } from './authentication.ts';
import { answerOnce, type Answer } from './idempotency.ts';
import { readJsonBody } from './json-body.ts';
import { invalidRequest } from './problems.ts';
import type { Clock } from '@perennial/contract';
import type { Database } from '@perennial/storage';

/** What a handler may need beside its request's parts. */
export interface HandlerContext {
  principal: Principal;
  /** The value of the Accept header, for the routes that answer in more than one form. */
  accept: string;
  signal: AbortSignal;
}

/** One handler for every route of the contract's table; a missing one does not compile. A handler may answer with a `Response` of its own. */
export type Handlers = {
  [Name in RouteName]: (
    request: RouteRequest<Name>,
    context: HandlerContext,
  ) => Promise<RouteResponse<Name> | Response>;
};

export interface RegistrationOptions {
  authenticate: Authenticate;
  maxBodyBytes: number;
  database: Database;
  clock: Clock;
}

/** Predictions are records of their own with ids of their own, and must not need the database. */
const NEVER_KEYED: ReadonlySet<RouteName> = new Set<RouteName>(['predict']);

/** Puts every route of the table on the app. */
export function registerRoutes(app: Hono, handlers: Handlers, options: RegistrationOptions): void {
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const route: Route = ROUTES[name];
    const path = route.path.replace(/\{(\w+)\}/g, ':$1');
    app.on(route.method, path, (c) => answer(c, { name, route, handlers, options }));
  }
}

interface Registered {
  name: RouteName;
  route: Route;
  handlers: Handlers;
  options: RegistrationOptions;
}

async function answer(c: Context, { name, route, handlers, options }: Registered): Promise<Response> {
  const principal = options.authenticate({
    authorization: c.req.header('authorization'),
    host: c.req.header('host'),
  });
  authorize(principal, route.role);
  const request = await readRequest(c, route, options.maxBodyBytes);
  const handler = handlers[name] as (request: unknown, context: HandlerContext) => Promise<unknown>;
  const work = () =>
    handler(request, { principal, accept: c.req.header('accept') ?? '', signal: c.req.raw.signal });
  const key = c.req.header('idempotency-key');
  if (route.method === 'POST' && key !== undefined && !NEVER_KEYED.has(name)) {
    const keyed = { caller: principal.name, key, request: { name, request } };
    const kept = await answerOnce(options, keyed, async (): Promise<Answer> => ({
      status: route.status,
      body: await work(),
    }));
    return c.json(kept.body, kept.status as ContentfulStatusCode);
  }
  const body = await work();
  return body instanceof Response ? body : c.json(body, route.status);
}

interface Parts {
  params?: unknown;
  query?: unknown;
  body?: unknown;
}

async function readRequest(c: Context, route: Route, maxBodyBytes: number): Promise<Parts> {
  const parts: Parts = {};
  if (route.params) parts.params = check('path', route.params, c.req.param());
  if (route.query) parts.query = check('query', route.query, c.req.query());
  if (route.body) parts.body = check('body', route.body, await readJsonBody(c, maxBodyBytes));
  return parts;
}

function check(part: 'path' | 'query' | 'body', schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidRequest(part, parsed.error);
  return parsed.data;
}
