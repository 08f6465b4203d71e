import { ERROR_STATUS, PerennialError, describeError, type Problem } from '@perennial/contract';
import {
  MethodNotAllowedError,
  RateLimitedError,
  TooManyFailuresError,
  UnauthenticatedError,
} from '../errors.ts';

/** Any error as the problem document it is answered with (RFC 9457). */
export function toProblem(error: unknown, requestId: string): Problem {
  const { code, message, details } = describeError(error);
  return {
    type: `urn:perennial:error:${code}`,
    title: code,
    status: ERROR_STATUS[code],
    detail: message,
    instance: requestId,
    ...(details !== undefined && Object.keys(details).length > 0 ? { details } : {}),
  };
}

/** Headers that belong to an error's answer beside its document. */
export function problemHeaders(error: unknown): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  const retryAfter = retryAfterSeconds(error);
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter);
  if (error instanceof MethodNotAllowedError) headers['allow'] = error.allowed.join(', ');
  if (error instanceof UnauthenticatedError) headers['www-authenticate'] = 'Bearer';
  if (error instanceof RateLimitedError) Object.assign(headers, rateLimitHeaders(error));
  return headers;
}

/** How often the caller may ask, and how soon again (draft-ietf-httpapi-ratelimit-headers-10). */
function rateLimitHeaders(error: RateLimitedError): Record<string, string> {
  const seconds = secondsUntil(error.retryAfterMilliseconds);
  return {
    'ratelimit-policy': `"minute";q=${error.requestsPerMinute};w=60`,
    ratelimit: `"minute";r=0;t=${seconds}`,
  };
}

const secondsUntil = (milliseconds: number) => Math.max(1, Math.ceil(milliseconds / 1_000));

/** Seconds after which a request that failed for want of capacity may be tried again. */
function retryAfterSeconds(error: unknown): number | undefined {
  if (error instanceof RateLimitedError || error instanceof TooManyFailuresError)
    return secondsUntil(error.retryAfterMilliseconds);
  if (!(error instanceof PerennialError)) return undefined;
  const { code } = error;
  return error.transient || code === 'overloaded' || code === 'rate-limited' || code === 'unavailable'
    ? 1
    : undefined;
}
