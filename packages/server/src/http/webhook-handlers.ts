import { parseId, type Clock, type IdGenerator } from '@perennial/contract';
import {
  createWebhook,
  removeWebhook,
  replayWebhookDelivery,
  type WebhookNetwork,
} from '@perennial/monitoring';
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
    createWebhook: ({ body }, { principal, origin }) =>
      createWebhook(desk, { request: body, by: principal.name, origin }),
    listWebhooks: ({ query }) => storage.listWebhooks(db, query),
    deleteWebhook: ({ params }, { principal, origin }) =>
      removeWebhook(desk, { webhook: params.webhook, by: principal.name, origin }),
    listDeliveries: ({ params, query }) =>
      storage.listDeliveries(db, parseId('webhook', params.webhook), query),
    replayDelivery: ({ params }, { principal, origin }) =>
      replayWebhookDelivery(desk, { delivery: params.delivery, by: principal.name, origin }),
  } satisfies Partial<Handlers>;
}
