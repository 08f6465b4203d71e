import type { Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import {
  ROUTES,
  type Route,
  type RouteName,
  type RouteRequest,
  type RouteResponse,
} from '@perennial/contract';
import { admit, admitToModels, type Admission } from '../access/admission.ts';
import { withinModels } from '../access/model-scope.ts';
import { credentialsOf, type Credentials, type Principal } from './authentication.ts';
import type { Answer, IdempotentAnswers } from './idempotency.ts';
import { checkPart } from './invalid-request.ts';
import { readJsonBody } from './json-body.ts';
import { prefersAsync } from './preferences.ts';
import { traceOf } from '../tracing/request-trace.ts';
import type { Trace } from '../tracing/tracing.ts';
import { baseUrlOf, originOf } from './request-origin.ts';
import { UploadGate } from './upload-gate.ts';

/** What a handler may need beside its request's parts. */
export interface HandlerContext {
  principal: Principal;
  /** What the request says of who sent it. */
  credentials: Credentials;
  /** The value of the Accept header, for the routes that answer in more than one form. */
  accept: string;
  /** The value of the Cache-Control header. */
  cacheControl: string | undefined;
  /** Where the caller reached the platform: `http://localhost:4400`. */
  baseUrl: string;
  /** Where the request came from, for the audit: network address and request id. */
  origin: string;
  signal: AbortSignal;
  /** The trace that the request belongs to; undefined where there is none. */
  trace: Trace | undefined;
}

/** Each part made when it is asked for: a prediction needs none of them, and the signal alone costs it a request object of the platform's own. */
class RequestContext implements HandlerContext {
  readonly #c: Context;

  constructor(
    c: Context,
    readonly principal: Principal,
  ) {
    this.#c = c;
  }

  get credentials() {
    return credentialsOf(this.#c);
  }

  get accept() {
    return this.#c.req.header('accept') ?? '';
  }

  get cacheControl() {
    return this.#c.req.header('cache-control');
  }

  get baseUrl() {
    return baseUrlOf(this.#c);
  }

  get origin() {
    return originOf(this.#c);
  }

  get trace() {
    return traceOf(this.#c);
  }

  get signal() {
    return this.#c.req.raw.signal;
  }
}

/** One handler for every route of the contract's table; a missing one does not compile. A handler may answer with a `Response` of its own. */
export type Handlers = {
  [Name in RouteName]: (
    request: RouteRequest<Name>,
    context: HandlerContext,
  ) => Promise<RouteResponse<Name> | Response>;
};

export interface RegistrationOptions extends Admission {
  maxBodyBytes: number;
  /** Of routes that files are sent to. */
  maxUploadBytes: number;
  /** How a repetition of a request that brings a key is told. */
  idempotency: IdempotentAnswers;
}

/** Puts every route of the table on the app. */
export function registerRoutes(app: Hono, handlers: Handlers, options: RegistrationOptions): void {
  const uploads = new UploadGate();
  const registration = (name: RouteName): Registration => ({
    name,
    handler: handlers[name] as Handler,
    options: { ...options, uploads },
  });
  registerPreferredAsync(app, registration('predictAsync'));
  for (const name of Object.keys(ROUTES) as RouteName[]) registerRoute(app, registration(name));
}

/** Has a prediction answered later where the request prefers that, before the route that answers at once sees it. */
function registerPreferredAsync(app: Hono, registration: Registration): void {
  const route: Route = ROUTES.predictAsync;
  app.on(ROUTES.predict.method, routePattern(ROUTES.predict.path), (c, next) => {
    if (!prefersAsync(c)) return next();
    c.header('preference-applied', 'respond-async');
    return answer(c, { ...registration, route });
  });
}

/** Puts the route of a prediction on the app, whose requests carry no key: for a process that does nothing else and has no database. */
export function registerPredictRoute(
  app: Hono,
  handler: Handlers['predict'],
  options: Admission & Pick<RegistrationOptions, 'maxBodyBytes'>,
): void {
  registerRoute(app, { name: 'predict', handler: handler as Handler, options });
}

type Handler = (request: unknown, context: HandlerContext) => Promise<unknown>;

interface Registration {
  name: RouteName;
  handler: Handler;
  options: Admission &
    Pick<RegistrationOptions, 'maxBodyBytes'> &
    Partial<RegistrationOptions> & { uploads?: UploadGate };
}

function registerRoute(app: Hono, registration: Registration): void {
  const route: Route = ROUTES[registration.name];
  app.on(route.method, routePattern(route.path), (c) => answer(c, { ...registration, route }));
}

/** What a colon in the last part of a path, which says what is done there, would be called as a parameter. */
const ACTION = 'action';

/** The path as Hono has it. A colon is a parameter to it, wherever it stands, so that a part with one is given as a pattern; clients may encode it. */
function routePattern(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1').replace(/\/([a-z-]+):([a-z]+)$/, `/:${ACTION}{$1(?::|%3[Aa])$2}`);
}

type Registered = Registration & { route: Route };

async function answer(c: Context, registered: Registered): Promise<Response> {
  const { name, route, options } = registered;
  const principal = await admit(c, route.role, options);
  const request = readAddress(c, route);
  const scoped = { name, scope: route.scope, query: route.query };
  if (principal.models !== null) await admitToModels(principal, { route: scoped, request }, options);
  const answering = { principal, request, scoped };
  // A length that is not said may be any.
  const large = route.upload && !(Number(c.req.header('content-length')) <= options.maxBodyBytes);
  if (!large || !options.uploads) return answerAdmitted(c, registered, answering);
  return options.uploads.hold(() => answerAdmitted(c, registered, answering));
}

interface Answering {
  principal: Principal;
  request: Parts;
  scoped: Parameters<typeof withinModels>[1];
}

/** Reads the body and does the work, for a caller who may ask for it. */
async function answerAdmitted(
  c: Context,
  registered: Registered,
  { principal, request, scoped }: Answering,
): Promise<Response> {
  const { route, handler, options } = registered;
  const { maxBodyBytes, maxUploadBytes = maxBodyBytes } = options;
  const maxBytes = route.upload ? maxUploadBytes : maxBodyBytes;
  if (route.body) request.body = checkPart('body', route.body, await readJsonBody(c, maxBytes));
  const context = new RequestContext(c, principal);
  const work = async () => withinModels(principal, scoped, await handler(request, context));
  const kept = await answerKeyed(c, registered, { principal, request, work });
  const { status, body } = kept ?? { status: route.status, body: await work() };
  if (body instanceof Response) return body;
  if (route.location !== undefined) c.header('location', placeOf(route.location, body));
  return c.json(body as object, status as ContentfulStatusCode);
}

/** Also of an answer that is given again, which no handler has seen. */
function placeOf(location: string, body: unknown): string {
  return location.replace(/\{(\w+)\}/g, (_, name: string) => String((body as Record<string, unknown>)[name]));
}

interface Admitted {
  principal: Principal;
  request: Parts;
  work: () => Promise<unknown>;
}

/** The answer of a request that brings a key; undefined of one that brings none, or of a route that takes none. */
async function answerKeyed(
  c: Context,
  { name, route, options: { idempotency } }: Registered,
  { principal, request, work }: Admitted,
): Promise<Answer | undefined> {
  const key = c.req.header('idempotency-key');
  if (key === undefined || idempotency?.takes(name) !== true) return undefined;
  const keyed = { caller: principal.name, key, request: { name, request } };
  return idempotency.answer(keyed, async () => ({ status: route.status, body: await work() }));
}

interface Parts {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
}

function parametersOf(c: Context): Record<string, string> {
  const given: Record<string, string> = c.req.param();
  if (!(ACTION in given)) return given;
  const { [ACTION]: _, ...parameters } = given;
  return parameters;
}

/** What the address says, which tells whom the request is about; the body is not read for who may not send it. */
function readAddress(c: Context, route: Route): Parts {
  const parts: Parts = {};
  if (route.params) parts.params = checkPart('path', route.params, parametersOf(c));
  if (route.query) parts.query = checkPart('query', route.query, c.req.query());
  return parts;
}
