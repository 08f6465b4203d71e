import { randomUUID } from 'node:crypto';
import { OverloadedError } from '@perennial/serving/online';
import type { Logger } from '../../platform/logger.ts';
import type { FrontRequest } from '../front.ts';
import type { Metrics } from '../metrics.ts';
import { problemHeaders, toProblem } from '../problems.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';
import { LoadGate } from './load-gate.ts';
import { SenderGoneError } from './request-bytes.ts';

export interface ExchangesOptions {
  metrics: Metrics;
  logger: Logger;
  /** @default one by the pace of this process */
  gate?: LoadGate;
}

/** A request, and what metrics call it: its route as Hono names it. */
export interface Exchange {
  request: FrontRequest;
  route: string;
  /** How an error is told. @default as a problem document */
  refusal?: ((error: unknown) => { headers: Record<string, string>; body: string }) | undefined;
}

/** An answer with headers of its own; a text or bytes alone are JSON. */
export interface OwnAnswer {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

const SECURITY = Object.entries(SECURITY_HEADERS).flat();
const ANSWER_HEADERS = [...SECURITY, 'content-type', 'application/json'];

/** Answers requests as the app would: let in by the pace, with an id and the same headers, errors as problem documents, timed. */
export class Exchanges {
  readonly #options: ExchangesOptions;
  readonly #gate: LoadGate;
  readonly #overload = new OverloadAnswers();

  constructor(options: ExchangesOptions) {
    this.#options = options;
    this.#gate = options.gate ?? new LoadGate();
  }

  /** @param work - makes the answer */
  answer(exchange: Exchange, work: () => Promise<string | Uint8Array | OwnAnswer>): void {
    const { request, route, refusal } = exchange;
    const begun: Begun = { request, route, refusal, id: randomUUID(), started: performance.now() };
    if (this.#gate.enter()) void this.#work(begun, work);
    else this.#turnAway(begun);
  }

  #turnAway(begun: Begun): void {
    this.#send(begun, 503, this.#overload.of(begun, this.#gate.limit));
    begun.request.drain();
  }

  async #work(begun: Begun, work: () => Promise<string | Uint8Array | OwnAnswer>): Promise<void> {
    try {
      this.#send(begun, 200, answerOf(await work()));
    } catch (error) {
      if (!(error instanceof SenderGoneError)) this.#refuse(begun, error);
    } finally {
      this.#gate.leave();
    }
  }

  #refuse(begun: Begun, error: unknown): void {
    const { status, ...answer } = problemOf(begun, error);
    if (status === 500) this.#options.logger.error({ requestId: begun.id, err: error }, 'request failed');
    this.#send(begun, status, answer);
    begun.request.drain();
  }

  #send(
    { request, route, id, started }: Begun,
    status: number,
    { headers, body, rests = false }: SentAnswer,
  ): void {
    const { metrics, logger } = this.#options;
    request.answer({ status, headers, requestId: id, body, rests });
    const seconds = (performance.now() - started) / 1_000;
    const labels = { method: request.method, route, status };
    metrics.request(labels, seconds);
    if (logger.isLevelEnabled('debug')) logger.debug({ requestId: id, ...labels, seconds }, 'request');
  }
}

interface SentAnswer {
  headers: readonly string[];
  body: string | Uint8Array;
  rests?: boolean;
}

interface Asked {
  refusal?: Exchange['refusal'];
  id: string;
}

function problemOf({ refusal, id }: Asked, error: unknown) {
  const problem = toProblem(error, id);
  const { headers, body } = refusal?.(error) ?? {
    headers: problemHeaders(error),
    body: JSON.stringify(problem),
  };
  return { status: problem.status, headers: [...SECURITY, ...Object.entries(headers).flat()], body };
}

/** Stands for the request's id in an answer that is kept. */
const ANY_ID = '00000000-0000-4000-8000-000000000000';

/**
 * What those are told that are not let in. It is written once for a limit: when twice as many come as can be served, an error with its stack for each would take a third of the time that is there to serve with.
 */
class OverloadAnswers {
  readonly #kept = new Map<
    Exchange['refusal'],
    { limit: number; headers: readonly string[]; parts: string[] }
  >();

  of({ refusal, id }: Begun, limit: number): SentAnswer {
    let kept = this.#kept.get(refusal);
    if (kept?.limit !== limit) {
      const error = new OverloadedError('this server', limit, 'requests');
      const { headers, body } = problemOf({ refusal, id: ANY_ID }, error);
      kept = { limit, headers, parts: body.split(ANY_ID) };
      this.#kept.set(refusal, kept);
    }
    return { headers: kept.headers, body: kept.parts.join(id), rests: true };
  }
}

function answerOf(made: string | Uint8Array | OwnAnswer): SentAnswer {
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
export function hasPlainHost({ headers }: FrontRequest): boolean {
  return HOST.test(headers.host ?? '');
}
