import { and, desc, eq, lt, sql } from 'drizzle-orm';
import {
  NotFoundError,
  formatId,
  type Alert,
  type AsyncPrediction,
  type Delivery,
  type DeliveryState,
  type IdGenerator,
  type ModelVersion,
  type Page,
  type PageQuery,
  type Release,
  type WebhookEvent,
  type WebhookEventType,
} from '@perennial/contract';
import { webhookDeliveries, webhooks } from '../database/schema.ts';
import { enqueue } from '../queue/enqueue.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';
import { WEBHOOK_DELETED, webhooksFor } from './webhooks.ts';

/** What each type of event carries, as the REST API shows it. */
export type EventData<Type extends WebhookEventType> = Type extends 'alert.raised'
  ? Alert
  : Type extends 'model-version.registered'
    ? ModelVersion
    : Type extends `prediction.${string}`
      ? AsyncPrediction
      : Release;

export interface NewEvent<Type extends WebhookEventType> {
  type: Type;
  /** What it is about; webhooks may want the events of one model only. */
  model: string;
  data: EventData<Type>;
  at: Date;
  /** Makes the ids of the deliveries. */
  ids: IdGenerator;
  /** The trace that it happened in; the deliveries belong to it. */
  traceparent?: string | undefined;
}

/**
 * Puts an event on its way to every webhook that wants it. Called in the transaction of what it tells of, the deliveries and their jobs are there if and
 * only if the transaction's rows are; nothing is sent in it.
 * @returns plain ids of the deliveries
 */
export async function publishEvent<Type extends WebhookEventType>(
  tx: Executor,
  { type, model, data, at, ids, traceparent }: NewEvent<Type>,
): Promise<string[]> {
  const event: WebhookEvent = { type, timestamp: at.toISOString(), data: { ...data } };
  const rows = (await webhooksFor(tx, { type, model })).map((webhookId) => ({
    id: ids.next(),
    webhookId,
    event,
    state: 'pending' as const,
    attempts: 0,
    nextAttemptAt: at,
    createdAt: at,
  }));
  if (rows.length > 0) await tx.insert(webhookDeliveries).values(rows);
  for (const { id } of rows) await enqueueDelivery(tx, id, { traceparent });
  return rows.map(({ id }) => id);
}

interface DeliveryDue {
  /** @default at once */
  runAt?: Date;
  /** Attempts made before the last replay. @default 0 */
  priorAttempts?: number;
  traceparent?: string | undefined;
}

/** The one job that waits for a delivery takes the place of any other. */
async function enqueueDelivery(
  tx: Executor,
  id: string,
  { runAt, priorAttempts, traceparent }: DeliveryDue,
): Promise<void> {
  await enqueue(tx, {
    kind: 'webhook.deliver',
    payload: {
      delivery: formatId('delivery', id),
      ...(priorAttempts ? { priorAttempts } : {}),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    jobKey: id,
    ...(runAt === undefined ? {} : { runAt }),
  });
}

/** All that sending takes. */
export interface PendingDelivery {
  id: string;
  event: WebhookEvent;
  /** Attempts on record; the next one is this many plus one. */
  attempts: number;
  webhook: { id: string; url: string; secret: string };
}

/**
 * What is to be sent; undefined when it is not to be sent any more. A delivery whose webhook was deleted while the event was being published ends here.
 */
export async function takeDelivery(db: Executor, id: string, at: Date): Promise<PendingDelivery | undefined> {
  const [row] = await db
    .select({ delivery: webhookDeliveries, webhook: webhooks })
    .from(webhookDeliveries)
    .innerJoin(webhooks, eq(webhooks.id, webhookDeliveries.webhookId))
    .where(and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.state, 'pending')));
  if (!row) return undefined;
  const { delivery, webhook } = row;
  if (webhook.deletedAt !== null) {
    await db
      .update(webhookDeliveries)
      .set({ state: 'failed', nextAttemptAt: null, lastError: WEBHOOK_DELETED, endedAt: at })
      .where(and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.state, 'pending')));
    return undefined;
  }
  const { url, secret } = webhook;
  return {
    id,
    event: delivery.event,
    attempts: delivery.attempts,
    webhook: { id: webhook.id, url, secret },
  };
}

/** What came of one attempt. */
export interface AttemptRecord {
  id: string;
  /** Attempts on record when this one began: an attempt that another worker made meanwhile counts, and this one does not. */
  attemptsBefore: number;
  /** Status of the answer, if there was one. */
  status: number | null;
  error: string | null;
  at: Date;
  traceparent?: string | undefined;
  outcome:
    { state: 'delivered' | 'failed' } | { state: 'pending'; nextAttemptAt: Date; priorAttempts: number };
}

/**
 * Writes an attempt down and, where it is to be tried again, the job for it, in the caller's transaction.
 * @returns whether it counted
 */
export async function recordAttempt(tx: Executor, attempt: AttemptRecord): Promise<boolean> {
  const { id, attemptsBefore, status, error, at, outcome, traceparent } = attempt;
  const retry = outcome.state === 'pending' ? outcome : undefined;
  const changed = await tx
    .update(webhookDeliveries)
    .set({
      state: outcome.state,
      attempts: attemptsBefore + 1,
      nextAttemptAt: retry?.nextAttemptAt ?? null,
      lastStatus: status,
      lastError: error,
      endedAt: retry === undefined ? at : null,
    })
    .where(
      and(
        eq(webhookDeliveries.id, id),
        eq(webhookDeliveries.state, 'pending'),
        eq(webhookDeliveries.attempts, attemptsBefore),
      ),
    )
    .returning({ id: webhookDeliveries.id });
  if (changed.length === 0) return false;
  if (retry) {
    await enqueueDelivery(tx, id, {
      runAt: retry.nextAttemptAt,
      priorAttempts: retry.priorAttempts,
      traceparent,
    });
  }
  return true;
}

/**
 * Has a delivery sent again, whatever became of it, under the id it had. Its attempts go on being counted; it has as many more as a new one.
 * @returns whether there was one whose webhook is still there
 * @throws NotFoundError when there is no such delivery
 */
export async function replayDelivery(tx: Executor, id: string, at: Date): Promise<boolean> {
  const { attempts, webhook } = await getDeliveryRow(tx, id);
  if (webhook.deletedAt !== null) return false;
  await tx
    .update(webhookDeliveries)
    .set({ state: 'pending', nextAttemptAt: at, endedAt: null })
    .where(eq(webhookDeliveries.id, id));
  await enqueueDelivery(tx, id, { priorAttempts: attempts });
  return true;
}

async function getDeliveryRow(tx: Executor, id: string) {
  const [row] = await tx
    .select({ attempts: webhookDeliveries.attempts, webhook: webhooks })
    .from(webhookDeliveries)
    .innerJoin(webhooks, eq(webhooks.id, webhookDeliveries.webhookId))
    .where(eq(webhookDeliveries.id, id))
    .for('update');
  if (!row) throw new NotFoundError('delivery', formatId('delivery', id));
  return row;
}

/** @throws NotFoundError */
export async function getDelivery(db: Executor, id: string): Promise<Delivery> {
  const [row] = await db.select().from(webhookDeliveries).where(eq(webhookDeliveries.id, id));
  if (!row) throw new NotFoundError('delivery', formatId('delivery', id));
  return toDelivery(row);
}

/**
 * Deliveries to a webhook, newest first; also to one that was deleted.
 * @throws NotFoundError when there never was such a webhook
 */
export async function listDeliveries(
  db: Executor,
  webhook: string,
  query: PageQuery & { state?: DeliveryState | undefined },
): Promise<Page<Delivery>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const [known] = await db
    .select({ one: sql`1` })
    .from(webhooks)
    .where(eq(webhooks.id, webhook));
  if (!known) throw new NotFoundError('webhook', formatId('webhook', webhook));
  const rows = await db
    .select()
    .from(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.webhookId, webhook),
        query.state === undefined ? undefined : eq(webhookDeliveries.state, query.state),
        before === undefined ? undefined : lt(webhookDeliveries.id, before),
      ),
    )
    .orderBy(desc(webhookDeliveries.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toDelivery, key: (row) => row.id });
}

function toDelivery({ webhookId, ...row }: typeof webhookDeliveries.$inferSelect): Delivery {
  return {
    ...row,
    id: formatId('delivery', row.id),
    webhook: formatId('webhook', webhookId),
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
