import { isIPv6 } from 'node:net';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { RateLimitedError, TooManyFailuresError } from '../errors.ts';
import type { Principal } from '../http/authentication.ts';
import { RequestWindows } from './request-windows.ts';

const MINUTE_SECONDS = 60;

/**
 * Wrong tokens from one address in a minute, after which the address is told to wait. A token of the table is too long to be guessed and works on; it is the
 * configuration's token, which a person may have chosen, that must not be tried at full speed.
 */
const FAILURES_PER_MINUTE = 30;

export interface RequestLimitsOptions {
  /** Of callers without a limit of their own. */
  requestsPerMinute: number;
}

/** How often each caller may ask, counted by this process, in windows of a minute that begin with a caller's first request. */
export class RequestLimits {
  readonly #requestsPerMinute: number;
  readonly #requests = new RequestWindows(MINUTE_SECONDS * 1_000);
  #lastFailure = -Infinity;
  readonly #failures = new RateLimiterMemory({ points: FAILURES_PER_MINUTE, duration: MINUTE_SECONDS });

  constructor({ requestsPerMinute }: RequestLimitsOptions) {
    this.#requestsPerMinute = requestsPerMinute;
  }

  /** Counts one request of a caller. @throws RateLimitedError */
  count({ name, requestsPerMinute = this.#requestsPerMinute }: Principal): void {
    if (requestsPerMinute === null) return;
    const { count, endsAt } = this.#requests.add(name);
    if (count > requestsPerMinute)
      throw new RateLimitedError(requestsPerMinute, Math.max(0, endsAt - performance.now()));
  }

  /** Counts a wrong token from an address. @throws TooManyFailuresError from the thirty-first in a minute on */
  async countFailure(address: string): Promise<void> {
    this.#lastFailure = performance.now();
    const { consumedPoints, msBeforeNext } = await this.#failures.penalty(networkOf(address));
    if (consumedPoints > FAILURES_PER_MINUTE) throw new TooManyFailuresError(msBeforeNext);
  }

  /** Whether some address may have used up its wrong tokens: without one within a minute there is nobody to be refused. */
  get anyFailures(): boolean {
    return performance.now() - this.#lastFailure < MINUTE_SECONDS * 1_000;
  }

  /** @throws TooManyFailuresError when the address has used up its wrong tokens */
  async refuseBlocked(address: string): Promise<void> {
    const failures = await this.#failures.get(networkOf(address));
    if (failures !== null && failures.consumedPoints > FAILURES_PER_MINUTE)
      throw new TooManyFailuresError(failures.msBeforeNext);
  }
}

/** What counts as one sender: an IPv4 address, or the 64 bits of an IPv6 address that name a network, whose other 64 its owner changes at will. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [left = '', right] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(Math.max(0, zeros)).fill('0'), ...tail].slice(0, 4).join(':');
}
