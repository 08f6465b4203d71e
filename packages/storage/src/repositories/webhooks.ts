import { and, asc, count, desc, eq, isNull, lt, or, sql } from 'drizzle-orm';
import {
  NotFoundError,
  formatId,
  type Page,
  type PageQuery,
  type Webhook,
  type WebhookEventType,
} from '@perennial/contract';
import { webhookDeliveries, webhooks } from '../database/schema.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

export interface NewWebhook {
  id: string;
  url: string;
  events: WebhookEventType[];
  /** Only events of this model; null: of all. */
  model: string | null;
  /** `whsec_` and base64. */
  secret: string;
  createdBy: string;
  createdAt: Date;
}

export async function insertWebhook(tx: Executor, webhook: NewWebhook): Promise<Webhook> {
  const [row] = await tx.insert(webhooks).values(webhook).returning();
  if (!row) throw new Error('insert … returning gave no row');
  return toWebhook(row);
}

/** How many there are; no other transaction adds one until this one ends. */
export async function countWebhooksForInsert(tx: Executor): Promise<number> {
  await tx.execute(sql`lock table ${webhooks} in share row exclusive mode`);
  const [row] = await tx.select({ n: count() }).from(webhooks).where(isNull(webhooks.deletedAt));
  return row?.n ?? 0;
}

/** Webhooks, newest first, without those that were deleted. */
export async function listWebhooks(db: Executor, query: PageQuery): Promise<Page<Webhook>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(webhooks)
    .where(and(isNull(webhooks.deletedAt), before === undefined ? undefined : lt(webhooks.id, before)))
    .orderBy(desc(webhooks.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toWebhook, key: (row) => row.id });
}

/** Plain ids of the webhooks that want an event of a model, oldest first. */
export async function webhooksFor(
  db: Executor,
  { type, model }: { type: WebhookEventType; model: string },
): Promise<string[]> {
  const rows = await db
    .select({ id: webhooks.id, events: webhooks.events })
    .from(webhooks)
    .where(and(isNull(webhooks.deletedAt), or(isNull(webhooks.model), eq(webhooks.model, model))))
    .orderBy(asc(webhooks.id));
  return rows.filter(({ events }) => events.includes(type)).map(({ id }) => id);
}

/**
 * Ends a webhook. Its row and deliveries stay as a record, its secret does not; what waited has failed.
 * @throws NotFoundError when there is none, or it was deleted before
 */
export async function deleteWebhook(tx: Executor, id: string, at: Date): Promise<Webhook> {
  const [row] = await tx
    .update(webhooks)
    .set({ deletedAt: at, secret: '' })
    .where(and(eq(webhooks.id, id), isNull(webhooks.deletedAt)))
    .returning();
  if (!row) throw new NotFoundError('webhook', formatId('webhook', id));
  await tx
    .update(webhookDeliveries)
    .set({ state: 'failed', nextAttemptAt: null, lastError: WEBHOOK_DELETED, endedAt: at })
    .where(and(eq(webhookDeliveries.webhookId, id), eq(webhookDeliveries.state, 'pending')));
  return toWebhook(row);
}

/** What a delivery says that was dropped with its webhook. */
export const WEBHOOK_DELETED = 'The webhook was deleted.';

function toWebhook(row: typeof webhooks.$inferSelect): Webhook {
  return {
    id: formatId('webhook', row.id),
    url: row.url,
    events: row.events,
    model: row.model,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  };
}
