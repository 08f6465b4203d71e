import { createHash } from 'node:crypto';
import { InvalidRequestError, ROUTES, canonicalJson, type Clock, type RouteName } from '@perennial/contract';
import {
  claimRequest,
  forgetRequest,
  recordOutcome,
  type Database,
  type KeyedRequest,
} from '@perennial/storage';
import { IdempotencyConflictError } from '../errors.ts';

/**
 * Predictions are records of their own with ids of their own, and must not need the database. The answers to a new webhook, token or session hold a secret, which must not
 * be kept for ever beside the request's key.
 */
const NEVER_KEYED: ReadonlySet<RouteName> = new Set<RouteName>([
  'predict',
  'lookupPredictions',
  'createWebhook',
  'createToken',
  'openSession',
]);

/** Answers requests that bring a key once. */
export interface IdempotentAnswers {
  /** Whether a repetition of a route's request can be told by the header Idempotency-Key. */
  takes: (name: RouteName) => boolean;
  /** As {@link answerOnce}. */
  answer: (request: IdempotentRequest, work: () => Promise<Answer>) => Promise<Answer>;
}

export function idempotentAnswers(place: { database: Database; clock: Clock }): IdempotentAnswers {
  return { takes: takesIdempotencyKey, answer: (request, work) => answerOnce(place, request, work) };
}

/** Whether a repetition of a route's request can be told by the header Idempotency-Key. */
export function takesIdempotencyKey(name: RouteName): boolean {
  return ROUTES[name].method === 'POST' && !NEVER_KEYED.has(name);
}

export interface Answer {
  status: number;
  body: unknown;
}

export interface IdempotentRequest {
  caller: string;
  key: string;
  /** Route name, parameters and body. */
  request: unknown;
}

/**
 * Does the work of a request once: a repetition with the same key and content has the first answer.
 * @throws IdempotencyConflictError
 */
export async function answerOnce(
  { database, clock }: { database: Database; clock: Clock },
  { caller, key, request }: IdempotentRequest,
  work: () => Promise<Answer>,
): Promise<Answer> {
  checkKey(key);
  const requestDigest = createHash('sha256').update(canonicalJson(request)).digest('hex');
  const keyed: KeyedRequest = { caller, key, requestDigest };
  const outcome = await claimRequest(database.orm, keyed, clock.now());
  switch (outcome.kind) {
    case 'answered':
      return { status: outcome.status, body: outcome.response };
    case 'mismatch':
    case 'in-progress':
      throw new IdempotencyConflictError(outcome.kind);
    case 'fresh':
      return doWork(database, keyed, work);
  }
}

/**
 * A failure gives the key back. An answer that cannot be kept does not: the work is done, and doing it at once again is what the key is there to
 * prevent; the key is free again when it counts as abandoned.
 */
async function doWork(database: Database, keyed: KeyedRequest, work: () => Promise<Answer>): Promise<Answer> {
  const answer = await work().catch(async (error: unknown) => {
    // What the caller needs to know is why the work failed, whether or not the key could be given back.
    await forgetRequest(database.orm, keyed).catch(() => undefined);
    throw error;
  });
  await recordOutcome(database.orm, keyed, { status: answer.status, response: answer.body });
  return answer;
}

function checkKey(key: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return;
  throw new InvalidRequestError('The header Idempotency-Key must be 1 to 255 visible ASCII characters.');
}
