import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { OverloadedError } from '@perennial/serving';
import type { Logger } from '../../platform/logger.ts';
import type { Metrics } from '../metrics.ts';
import { problemHeaders, toProblem } from '../problems.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';
import { LoadGate } from './load-gate.ts';
import { SenderGoneError, drainRequest } from './request-bytes.ts';

export interface ExchangesOptions {
  metrics: Metrics;
  logger: Logger;
  /** @default one by the pace of this process */
  gate?: LoadGate;
}

/** A request of Node's own server, what answers it, and what metrics call it: its route as Hono names it. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  route: string;
  /** How an error is told. @default as a problem document */
  refusal?: (error: unknown) => { headers: Record<string, string>; body: string };
}

/** An answer with headers of its own; a text or bytes alone are JSON. */
export interface OwnAnswer {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

const SECURITY = Object.entries(SECURITY_HEADERS).flat();
const ANSWER_HEADERS = [...SECURITY, 'content-type', 'application/json'];

/** Answers requests of Node's own server as the app would: let in by the pace, with an id and the same headers, errors as problem documents, timed. */
export class Exchanges {
  readonly #options: ExchangesOptions;
  readonly #gate: LoadGate;

  constructor(options: ExchangesOptions) {
    this.#options = options;
    this.#gate = options.gate ?? new LoadGate();
  }

  /** @param work - makes the answer */
  async answer(exchange: Exchange, work: () => Promise<string | Uint8Array | OwnAnswer>): Promise<void> {
    const begun: Begun = { ...exchange, id: randomUUID(), started: performance.now() };
    const entered = this.#gate.enter();
    try {
      if (!entered) throw new OverloadedError('this server', this.#gate.limit, 'requests');
      this.#send(begun, 200, answerOf(await work()));
    } catch (error) {
      if (error instanceof SenderGoneError) return;
      this.#refuse(begun, error);
    } finally {
      if (entered) this.#gate.leave();
    }
  }

  #refuse(begun: Begun, error: unknown): void {
    const problem = toProblem(error, begun.id);
    if (problem.status === 500)
      this.#options.logger.error({ requestId: begun.id, err: error }, 'request failed');
    const { headers, body } = begun.refusal?.(error) ?? {
      headers: problemHeaders(error),
      body: JSON.stringify(problem),
    };
    this.#send(begun, problem.status, { headers: [...SECURITY, ...Object.entries(headers).flat()], body });
    drainRequest(begun.request);
  }

  #send(
    { request, response, route, id, started }: Begun,
    status: number,
    { headers, body }: { headers: readonly string[]; body: string | Uint8Array },
  ): void {
    const { metrics, logger } = this.#options;
    const length = String(Buffer.byteLength(body));
    response.writeHead(status, [...headers, 'x-request-id', id, 'content-length', length]);
    response.end(body);
    const seconds = (performance.now() - started) / 1_000;
    const labels = { method: request.method ?? '', route, status };
    metrics.request(labels, seconds);
    if (logger.isLevelEnabled('debug')) logger.debug({ requestId: id, ...labels, seconds }, 'request');
  }
}

function answerOf(made: string | Uint8Array | OwnAnswer): {
  headers: readonly string[];
  body: string | Uint8Array;
} {
  if (typeof made === 'string' || made instanceof Uint8Array) return { headers: ANSWER_HEADERS, body: made };
  return { headers: [...SECURITY, ...Object.entries(made.headers).flat()], body: made.body };
}

interface Begun extends Exchange {
  id: string;
  started: number;
}

/** Anything else is Hono's to look at, which refuses hosts that are none. */
const HOST = /^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9a-f:]+\](:\d+)?$/;

/** Whether a request says of its host what every framework reads the same way. */
export function hasPlainHost({ headers }: IncomingMessage): boolean {
  return HOST.test(headers.host ?? '');
}
