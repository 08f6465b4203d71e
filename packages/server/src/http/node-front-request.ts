import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { FrontAnswer, FrontRequest } from './front.ts';
import { drainRequest, readRequestBytes } from './predict/request-bytes.ts';

/** A request of Node's own server, for the front. */
export class NodeFrontRequest implements FrontRequest {
  readonly method: string;
  readonly url: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.method = request.method ?? '';
    this.url = request.url ?? '';
    this.#request = request;
    this.#response = response;
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get remoteAddress(): string | undefined {
    return this.#request.socket.remoteAddress;
  }

  readBody(maxBytes: number): Promise<Buffer> {
    return readRequestBytes(this.#request, maxBytes);
  }

  answer({ status, headers, requestId, body }: FrontAnswer): void {
    const length = String(Buffer.byteLength(body));
    this.#response.writeHead(status, [...headers, 'x-request-id', requestId, 'content-length', length]);
    this.#response.end(body);
  }

  drain(): void {
    drainRequest(this.#request);
  }
}
