import {
  parseId,
  type Clock,
  type CreatedWebhook,
  type Delivery,
  type IdGenerator,
  type Webhook,
  type WebhookRequest,
} from '@perennial/contract';
import {
  countWebhooksForInsert,
  deleteWebhook,
  getDelivery,
  insertWebhook,
  recordChange,
  replayDelivery,
  transaction,
  type Database,
  type Requester,
} from '@perennial/storage';
import { TooManyWebhooksError, WebhookAddressError, WebhookDeletedError } from '../errors.ts';
import { addressesOf, type WebhookNetwork } from './destination.ts';
import { newWebhookSecret } from './signature.ts';

export interface WebhookDesk {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  network: WebhookNetwork;
}

/** Most webhooks at a time. */
const MAX_WEBHOOKS = 100;

/**
 * Has events sent to an address from now on. The address is checked now, so that whoever asks hears of it, and again at each attempt.
 * @returns the webhook with its secret, which no other answer shows
 * @throws WebhookAddressError, TooManyWebhooksError
 */
export async function createWebhook(
  { database, clock, ids, network }: WebhookDesk,
  { request, by, origin }: Requester & { request: WebhookRequest },
): Promise<CreatedWebhook> {
  const url = new URL(request.url);
  if (url.username !== '' || url.password !== '') {
    throw new WebhookAddressError('it must hold no user name and no password; deliveries are signed instead');
  }
  await addressesOf(url, network);
  const secret = newWebhookSecret();
  const webhook = await transaction(database, async (tx) => {
    if ((await countWebhooksForInsert(tx)) >= MAX_WEBHOOKS) throw new TooManyWebhooksError(MAX_WEBHOOKS);
    const at = clock.now();
    const created = await insertWebhook(tx, {
      id: ids.next(),
      url: url.href,
      events: [...new Set(request.events)],
      model: request.model ?? null,
      secret,
      createdBy: by,
      createdAt: at,
    });
    recordChange(tx, { at, by, action: 'webhook.created', ...toldOf(created), origin });
    return created;
  });
  return { ...webhook, secret };
}

/**
 * Ends a webhook: nothing more is sent to it.
 * @throws NotFoundError when there is none, or it was removed before
 */
export async function removeWebhook(
  { database, clock }: Pick<WebhookDesk, 'database' | 'clock'>,
  { webhook, by, origin }: Requester & { webhook: string },
): Promise<Webhook> {
  const id = parseId('webhook', webhook);
  return transaction(database, async (tx) => {
    const at = clock.now();
    const removed = await deleteWebhook(tx, id, at);
    recordChange(tx, { at, by, action: 'webhook.deleted', ...toldOf(removed), origin });
    return removed;
  });
}

/** Of the address only where it leads: with many receivers the rest of it is what lets a sender in. */
function toldOf({ id, url, events, model }: Webhook) {
  return { subject: `webhook:${id}`, details: { receiver: new URL(url).origin, events, model } };
}

/**
 * Has a delivery sent again under the id it had, whatever became of it.
 * @throws NotFoundError, WebhookDeletedError
 */
export async function replayWebhookDelivery(
  { database, clock }: Pick<WebhookDesk, 'database' | 'clock'>,
  { delivery, by, origin }: Requester & { delivery: string },
): Promise<Delivery> {
  const id = parseId('delivery', delivery);
  return transaction(database, async (tx) => {
    const at = clock.now();
    if (!(await replayDelivery(tx, id, at))) throw new WebhookDeletedError(delivery);
    const replayed = await getDelivery(tx, id);
    const details = { delivery, event: replayed.event.type };
    const subject = `webhook:${replayed.webhook}`;
    recordChange(tx, { at, by, action: 'webhook.replayed', subject, details, origin });
    return replayed;
  });
}
