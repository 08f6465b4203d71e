import { ROUTES, type Route, type RouteInput, type RouteName, type RouteResponse } from '@perennial/contract';
import { Transport, type ClientOptions, type TransportRequest } from './transport.ts';

export interface CallOptions {
  signal?: AbortSignal;
  /** Makes a POST safe to repeat: the same key and body get the same answer. */
  idempotencyKey?: string;
}

/**
 * A method for every route of the API, by the route's name. Each throws ApiError (the server refused), ConnectionError (no answer) or
 * UnexpectedAnswerError (an answer that is none of the API's).
 */
export type Client = {
  readonly [Name in RouteName]: (
    input: RouteInput<Name>,
    options?: CallOptions,
  ) => Promise<RouteResponse<Name>>;
} & { readonly baseUrl: string; readonly transport: Transport };

/**
 * A typed client of the REST API, made from the contract's route table.
 *
 * @example
 * const client = createClient({ baseUrl: 'http://127.0.0.1:8080' });
 * const { predictions } = await client.predict({ params: { model: 'flight-delay' }, body: { instances: [row] } });
 * @throws TypeError when the base URL is not one of http or https
 */
export function createClient(options: ClientOptions): Client {
  const transport = new Transport(options);
  const methods = Object.keys(ROUTES).map((name) => {
    const route: Route = ROUTES[name as RouteName];
    return [name, (input: Parts, call?: CallOptions) => callRoute(transport, route, { ...input, ...call })];
  });
  return { ...Object.fromEntries(methods), baseUrl: options.baseUrl, transport } as Client;
}

type Parts = Pick<TransportRequest, 'params' | 'query' | 'body'>;

async function callRoute(
  transport: Transport,
  { method, path }: Route,
  { params, query, body, idempotencyKey, signal }: Parts & CallOptions,
): Promise<unknown> {
  const accept = 'application/json';
  const request = { method, path, params, query, body, accept, idempotencyKey, signal };
  return transport.readJson(await transport.send(request), request);
}
