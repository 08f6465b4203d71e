import type { Credentials } from '../authentication.ts';
import type { FrontRequest } from '../front.ts';
import { senderAddress, type Approach } from '../request-origin.ts';

/** What a request in front of the app says of who sent it, each part read when it is asked for. */
export class FrontCredentials implements Credentials {
  readonly #request: FrontRequest;
  readonly #approach: Approach;

  constructor(request: FrontRequest, approach: Approach) {
    this.#request = request;
    this.#approach = approach;
  }

  get method() {
    return this.#request.method;
  }

  get authorization() {
    return this.#request.headers.authorization;
  }

  get cookie() {
    return this.#request.headers.cookie;
  }

  get host() {
    return this.#request.headers.host;
  }

  get origin() {
    return this.#request.headers.origin;
  }

  get fetchSite() {
    return this.#one('sec-fetch-site');
  }

  get address() {
    const connection = this.#request.remoteAddress ?? 'unknown';
    return senderAddress(this.#one('x-forwarded-for'), connection, this.#approach);
  }

  /** Repeated headers are joined by Node.js, but for the few that it knows as lists. */
  #one(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}
