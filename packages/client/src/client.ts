import {
  ROUTES,
  problemSchema,
  type Route,
  type RouteInput,
  type RouteName,
  type RouteResponse,
} from '@perennial/contract';
import { ApiError, ConnectionError, UnexpectedAnswerError } from './errors.ts';

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`. */
  baseUrl: string;
  /** Sent as a bearer token where given. */
  token?: string;
  /** @default globalThis.fetch */
  fetch?: typeof fetch;
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Makes a POST safe to repeat: the same key and body get the same answer. */
  idempotencyKey?: string;
}

/** A method for every route of the API, by the route's name. */
export type Client = {
  readonly [Name in RouteName]: (
    input: RouteInput<Name>,
    options?: CallOptions,
  ) => Promise<RouteResponse<Name>>;
} & { readonly baseUrl: string };

/**
 * A typed client of the REST API, made from the contract's route table.
 *
 * @example
 * const client = createClient({ baseUrl: 'http://127.0.0.1:8080' });
 * const { predictions } = await client.predict({ params: { model: 'flight-delay' }, body: { instances: [row] } });
 */
export function createClient(options: ClientOptions): Client {
  const methods = Object.keys(ROUTES).map((name) => {
    const route: Route = ROUTES[name as RouteName];
    return [name, (input: Parts, call?: CallOptions) => request({ route, options }, input, call)];
  });
  return { ...Object.fromEntries(methods), baseUrl: options.baseUrl } as Client;
}

interface Parts {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
}

interface Target {
  route: Route;
  options: ClientOptions;
}

async function request({ route, options }: Target, input: Parts, call: CallOptions = {}): Promise<unknown> {
  const response = await send({ route, options }, input, call);
  const body: unknown = await response.json().catch((cause: unknown) => {
    throw new UnexpectedAnswerError(route.path, response.status, { cause });
  });
  if (response.ok) return body;
  const problem = problemSchema.safeParse(body);
  if (!problem.success)
    throw new UnexpectedAnswerError(route.path, response.status, { cause: problem.error });
  throw new ApiError(problem.data);
}

async function send({ route, options }: Target, input: Parts, call: CallOptions): Promise<Response> {
  const url = new URL(fillPath(route.path, input.params ?? {}), options.baseUrl);
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  try {
    return await (options.fetch ?? fetch)(url, {
      method: route.method,
      headers: headersOf(options, call, route.method === 'POST'),
      ...(route.method === 'POST' ? { body: JSON.stringify(input.body ?? {}) } : {}),
      ...(call.signal ? { signal: call.signal } : {}),
    });
  } catch (cause) {
    if (call.signal?.aborted) throw cause;
    throw new ConnectionError(options.baseUrl, { cause });
  }
}

function headersOf(
  { token }: ClientOptions,
  { idempotencyKey }: CallOptions,
  hasBody: boolean,
): Record<string, string> {
  return {
    accept: 'application/json',
    ...(hasBody ? { 'content-type': 'application/json' } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  };
}

function fillPath(path: string, params: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}
