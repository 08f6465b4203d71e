import {
  ERROR_STATUS,
  describeError,
  InvalidRequestError,
  PerennialError,
  type Issue,
  type Problem,
} from '@perennial/contract';
import type { z } from 'zod';

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

/** Seconds after which a request that failed for want of capacity may be tried again. */
export function retryAfterSeconds(error: unknown): number | undefined {
  if (!(error instanceof PerennialError)) return undefined;
  const { code } = error;
  return error.transient || code === 'overloaded' || code === 'rate-limited' || code === 'unavailable'
    ? 1
    : undefined;
}

const MAX_ISSUES = 20;

/** What zod found wrong with a part of a request, in our words. */
export function invalidRequest(part: 'path' | 'query' | 'body', error: z.ZodError): InvalidRequestError {
  const issues = error.issues.slice(0, MAX_ISSUES).map(toIssue);
  const first = issues[0];
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  return new InvalidRequestError(`The ${part} is not valid. ${where}${first?.message ?? ''}`, issues);
}

function toIssue(issue: z.core.$ZodIssue): Issue {
  return { path: formatPath(issue.path), message: issue.message };
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
