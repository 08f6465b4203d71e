import { InvalidRequestError, problemSchema, type Route } from '@perennial/contract';
import { ApiError, ConnectionError, UnexpectedAnswerError } from './errors.ts';

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`; a path in it stands before every route, for a server behind a proxy. */
  baseUrl: string;
  /** Sent as a bearer token where given. */
  token?: string;
  /** @default globalThis.fetch */
  fetch?: typeof fetch;
}

/** What can stand in an address. */
type AddressValue = string | number | boolean;

export interface TransportRequest {
  method: Route['method'];
  /** As in the route table, with `{name}` for each parameter. */
  path: string;
  params?: Record<string, AddressValue> | undefined;
  /** What is undefined is left out. */
  query?: Record<string, AddressValue | undefined> | undefined;
  body?: unknown;
  accept: string;
  idempotencyKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Sends requests to one server and turns what goes wrong into errors of ours. */
export class Transport {
  readonly baseUrl: string;
  readonly #options: ClientOptions;

  /** @throws TypeError when the base URL is not one of http or https */
  constructor(options: ClientOptions) {
    const { protocol } = new URL(options.baseUrl);
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new TypeError(`'${options.baseUrl}' is not an http or https address.`);
    this.#options = options;
    this.baseUrl = options.baseUrl;
  }

  /**
   * The answer to a request that succeeded; its body has not been read.
   * @throws ApiError, ConnectionError, UnexpectedAnswerError, InvalidRequestError
   */
  async send(request: TransportRequest): Promise<Response> {
    const response = await this.#fetch(request);
    if (response.ok) return response;
    const problem = problemSchema.safeParse(await this.readJson(response, request));
    if (problem.success) throw new ApiError(problem.data);
    throw new UnexpectedAnswerError(request.path, response.status, { cause: problem.error });
  }

  /** @throws ConnectionError when the connection breaks before the end, UnexpectedAnswerError when it is not JSON */
  async readJson(response: Response, { path, signal }: TransportRequest): Promise<unknown> {
    const text = await response.text().catch((cause: unknown) => this.#explain(cause, signal));
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new UnexpectedAnswerError(path, response.status, { cause });
    }
  }

  async #fetch(request: TransportRequest): Promise<Response> {
    const { method, body, signal } = request;
    const send = this.#options.fetch ?? fetch;
    return send(this.#urlOf(request), {
      method,
      headers: this.#headersOf(request),
      ...(carriesBody(method) ? { body: JSON.stringify(body ?? {}) } : {}),
      ...(signal ? { signal } : {}),
    }).catch((cause: unknown) => this.#explain(cause, signal));
  }

  /** A caller who gave up gets its own reason back; everything else is the connection's fault. */
  #explain(cause: unknown, signal: AbortSignal | undefined): never {
    if (signal?.aborted) throw cause;
    throw new ConnectionError(this.baseUrl, { cause });
  }

  #urlOf({ path, params, query }: TransportRequest): URL {
    const url = new URL(this.baseUrl.replace(/\/+$/, '') + fillPath(path, params ?? {}));
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  #headersOf({ method, accept, idempotencyKey }: TransportRequest): Record<string, string> {
    const { token } = this.#options;
    return {
      accept,
      ...(carriesBody(method) ? { 'content-type': 'application/json' } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    };
  }
}

const carriesBody = (method: Route['method']) => method === 'POST' || method === 'PATCH';

function fillPath(path: string, params: Record<string, AddressValue>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => pathSegment(name, String(params[name])));
}

/** A URL drops `.` and `..` however they are encoded, and would then name another route. */
function pathSegment(name: string, value: string): string {
  if (value !== '' && value !== '.' && value !== '..') return encodeURIComponent(value);
  const message = `'${value}' cannot be part of an address`;
  throw new InvalidRequestError(`${name}: ${message}.`, [{ path: name, message }]);
}
