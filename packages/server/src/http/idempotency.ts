import { createHash } from 'node:crypto';
import { InvalidRequestError, canonicalJson, type Clock } from '@perennial/contract';
import {
  claimRequest,
  forgetRequest,
  recordOutcome,
  type Database,
  type KeyedRequest,
} from '@perennial/storage';
import { IdempotencyConflictError } from '../errors.ts';

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

async function doWork(database: Database, keyed: KeyedRequest, work: () => Promise<Answer>): Promise<Answer> {
  try {
    const answer = await work();
    await recordOutcome(database.orm, keyed, { status: answer.status, response: answer.body });
    return answer;
  } catch (error) {
    await forgetRequest(database.orm, keyed);
    throw error;
  }
}

function checkKey(key: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return;
  throw new InvalidRequestError('The header Idempotency-Key must be 1 to 255 visible ASCII characters.');
}
