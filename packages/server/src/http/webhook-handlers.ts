import { parseId, type Clock, type IdGenerator } from '@perennial/contract';
import { createWebhook, replayWebhookDelivery, type WebhookNetwork } from '@perennial/monitoring';
import * as storage from '@perennial/storage';
import type { Handlers } from './route-registration.ts';

export interface WebhookHandlerDependencies {
  database: storage.Database;
  clock: Clock;
  ids: IdGenerator;
  /** What webhooks may reach. */
  webhookNetwork: WebhookNetwork;
}

/** Alerts, and the webhooks that tell others of events. */
export function webhookHandlers({ database, clock, ids, webhookNetwork }: WebhookHandlerDependencies) {
  const db = database.orm;
  const desk = { database, clock, ids, network: webhookNetwork };
  return {
    listAlerts: ({ query }) => storage.listAlerts(db, query),
    getAlert: ({ params }) => storage.getAlert(db, parseId('alert', params.alert)),
    createWebhook: ({ body }, { principal }) => createWebhook(desk, { request: body, by: principal.name }),
    listWebhooks: ({ query }) => storage.listWebhooks(db, query),
    deleteWebhook: ({ params }) =>
      storage.transaction(database, (tx) =>
        storage.deleteWebhook(tx, parseId('webhook', params.webhook), clock.now()),
      ),
    listDeliveries: ({ params, query }) =>
      storage.listDeliveries(db, parseId('webhook', params.webhook), query),
    replayDelivery: ({ params }) => replayWebhookDelivery(desk, params.delivery),
  } satisfies Partial<Handlers>;
}
