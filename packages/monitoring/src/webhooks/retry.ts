const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * The longest pause after each failed attempt, in milliseconds: nine attempts over at most 20 hours and 43 minutes, which a receiver's bad night fits into. A pause
 * is drawn evenly from zero up to these ("full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), so that the deliveries that
 * failed together do not come back together.
 */
export const LONGEST_PAUSES: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
];

/** A receiver that asks for more is asked again after this: the last pauses are longer by themselves. */
const LONGEST_RETRY_AFTER = HOUR;

export interface FailedAttempt {
  /** Attempts so far, this one included, since the event or its last replay; 1 for the first. */
  attempt: number;
  /** When it ended. */
  at: Date;
  /** The header Retry-After: seconds, or a date (RFC 9110, section 10.2.3). */
  retryAfter: string | undefined;
  /** From 0 up to 1. */
  random: () => number;
}

/** When to try again; undefined when it is time to give up. */
export function nextAttemptAt({ attempt, at, retryAfter, random }: FailedAttempt): Date | undefined {
  const longest = LONGEST_PAUSES[attempt - 1];
  if (longest === undefined) return undefined;
  const asked = Math.min(retryAfterMilliseconds(retryAfter, at), LONGEST_RETRY_AFTER);
  return new Date(at.getTime() + Math.max(Math.round(random() * longest), asked));
}

function retryAfterMilliseconds(header: string | undefined, at: Date): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * SECOND;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - at.getTime());
}
