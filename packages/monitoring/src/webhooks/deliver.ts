import { formatId, parseId, type Clock, type JobPayload } from '@perennial/contract';
import {
  recordAttempt,
  takeDelivery,
  transaction,
  type AttemptRecord,
  type Database,
  type PendingDelivery,
} from '@perennial/storage';
import { WebhookAddressError } from '../errors.ts';
import { addressesOf, type WebhookNetwork } from './destination.ts';
import { post, type PostAnswer } from './post.ts';
import { nextAttemptAt } from './retry.ts';
import { signatureHeaders } from './signature.ts';

export interface DeliveryDependencies {
  database: Database;
  clock: Clock;
  network: WebhookNetwork;
  /** From 0 up to 1. @default Math.random */
  random?: () => number;
  /** Told of deliveries that are given up. @default silent */
  log?: (line: { message: string; delivery: string; webhook: string }) => void;
}

/** What came of sending. */
interface Attempt {
  status: number | null;
  error: string | null;
  retryAfter?: string | undefined;
}

const TIMEOUT_MILLISECONDS = 10_000;

/** The receiver says that it is no more (RFC 9110, section 15.5.11; Standard Webhooks asks senders to heed it). */
const GONE = 410;

/**
 * Makes one attempt to bring an event to its webhook, and writes down what came of it together with the job for the next attempt. The delivery's row says whether there
 * is anything left to do, so a job that runs twice does no harm; a worker that dies between sending and writing sends again, under the same id.
 * @throws the signal's reason when the worker stops before there is an answer: the attempt does not count
 */
export async function deliverWebhook(
  dependencies: DeliveryDependencies,
  { delivery: id, priorAttempts = 0, traceparent }: JobPayload<'webhook.deliver'>,
  signal: AbortSignal,
): Promise<void> {
  const { database, clock } = dependencies;
  const delivery = await takeDelivery(database.orm, parseId('delivery', id), clock.now());
  if (delivery === undefined) return;
  const attempt = await send({ ...delivery, traceparent }, dependencies, signal);
  const record = { ...judge(delivery, { attempt, priorAttempts }, dependencies), traceparent };
  const counted = await transaction(database, (tx) => recordAttempt(tx, record));
  if (counted && record.outcome.state === 'failed') {
    const webhook = formatId('webhook', delivery.webhook.id);
    dependencies.log?.({ message: 'a webhook delivery is given up', delivery: id, webhook });
  }
}

async function send(
  { id, event, webhook, traceparent }: PendingDelivery & { traceparent: string | undefined },
  { clock, network }: DeliveryDependencies,
  signal: AbortSignal,
): Promise<Attempt> {
  const url = new URL(webhook.url);
  const { type, timestamp, data } = event;
  const body = JSON.stringify({ type, timestamp, data });
  const signed = { id: formatId('delivery', id), at: clock.now(), body, secret: webhook.secret };
  const milliseconds = network.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS;
  const timeout = AbortSignal.timeout(milliseconds);
  const either = AbortSignal.any([signal, timeout]);
  try {
    const addresses = await unlessAborted(addressesOf(url, network), either);
    const headers = {
      ...HEADERS,
      ...signatureHeaders(signed),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    return describeAnswer(await post(url, { headers, body, addresses, signal: either }));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const late = timeout.aborted ? `No answer within ${milliseconds} ms.` : undefined;
    return { status: null, error: late ?? describeFailure(error) };
  }
}

const HEADERS = { 'content-type': 'application/json', 'user-agent': 'perennial-webhooks' };

/** Name resolution cannot be called off, only no longer be waited for. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = new Promise<never>((_, reject) => {
    const fail = () => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  return Promise.race([work, aborted]);
}

function describeAnswer({ status, retryAfter, excerpt }: PostAnswer): Attempt {
  if (isSuccess(status)) return { status, error: null };
  const redirect = status >= 300 && status < 400 ? ' Redirects are not followed.' : '';
  const said = excerpt === '' ? '' : ` It said: ${excerpt}`;
  return { status, error: `The receiver answered ${status}.${redirect}${said}`, retryAfter };
}

const isSuccess = (status: number | null) => status !== null && status >= 200 && status < 300;

/** An attempt at several addresses fails of several things at once, in an error without a message. */
function describeFailure(error: unknown): string {
  if (error instanceof WebhookAddressError) return error.message;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  return `Nothing could be sent: ${first instanceof Error ? first.message : String(first)}`;
}

function judge(
  { id, attempts }: PendingDelivery,
  { attempt: { status, error, retryAfter }, priorAttempts }: { attempt: Attempt; priorAttempts: number },
  { clock, random = Math.random }: DeliveryDependencies,
): AttemptRecord {
  const at = clock.now();
  const base = { id, attemptsBefore: attempts, status, error, at };
  if (isSuccess(status)) return { ...base, outcome: { state: 'delivered' } };
  const next =
    status === GONE
      ? undefined
      : nextAttemptAt({ attempt: attempts + 1 - priorAttempts, at, retryAfter, random });
  if (next === undefined) return { ...base, outcome: { state: 'failed' } };
  return { ...base, outcome: { state: 'pending', nextAttemptAt: next, priorAttempts } };
}
