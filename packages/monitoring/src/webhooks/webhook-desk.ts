import {
  parseId,
  type Clock,
  type CreatedWebhook,
  type Delivery,
  type IdGenerator,
  type WebhookRequest,
} from '@perennial/contract';
import {
  countWebhooksForInsert,
  getDelivery,
  insertWebhook,
  replayDelivery,
  transaction,
  type Database,
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
  { request, by }: { request: WebhookRequest; by: string },
): Promise<CreatedWebhook> {
  const url = new URL(request.url);
  if (url.username !== '' || url.password !== '') {
    throw new WebhookAddressError('it must hold no user name and no password; deliveries are signed instead');
  }
  await addressesOf(url, network);
  const secret = newWebhookSecret();
  const webhook = await transaction(database, async (tx) => {
    if ((await countWebhooksForInsert(tx)) >= MAX_WEBHOOKS) throw new TooManyWebhooksError(MAX_WEBHOOKS);
    return insertWebhook(tx, {
      id: ids.next(),
      url: url.href,
      events: [...new Set(request.events)],
      model: request.model ?? null,
      secret,
      createdBy: by,
      createdAt: clock.now(),
    });
  });
  return { ...webhook, secret };
}

/**
 * Has a delivery sent again under the id it had, whatever became of it.
 * @throws NotFoundError, WebhookDeletedError
 */
export async function replayWebhookDelivery(
  { database, clock }: Pick<WebhookDesk, 'database' | 'clock'>,
  delivery: string,
): Promise<Delivery> {
  const id = parseId('delivery', delivery);
  return transaction(database, async (tx) => {
    if (!(await replayDelivery(tx, id, clock.now()))) throw new WebhookDeletedError(delivery);
    return getDelivery(tx, id);
  });
}
