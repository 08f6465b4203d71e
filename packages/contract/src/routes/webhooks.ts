import { z } from 'zod';
import { alertSchema } from '../alert.ts';
import { idSchema } from '../ids.ts';
import { nameSchema } from '../names.ts';
import { pageQuery, pageQuerySchema, pageSchema } from '../paging.ts';
import {
  createdWebhookSchema,
  deliverySchema,
  deliveryStateSchema,
  webhookRequestSchema,
  webhookSchema,
} from '../webhook.ts';
import type { Route } from './route.ts';

const webhookParams = z.strictObject({ webhook: idSchema('webhook') });

export const WEBHOOK_ROUTES = {
  listAlerts: {
    method: 'GET',
    path: '/v1/alerts',
    role: 'viewer',
    scope: 'list',
    summary: 'Alerts, newest first',
    query: z.strictObject({ ...pageQuery, model: nameSchema.optional() }),
    response: pageSchema(alertSchema),
    status: 200,
  },
  getAlert: {
    method: 'GET',
    path: '/v1/alerts/{alert}',
    role: 'viewer',
    scope: 'resource',
    summary: 'One alert',
    params: z.strictObject({ alert: idSchema('alert') }),
    response: alertSchema,
    status: 200,
  },
  createWebhook: {
    method: 'POST',
    path: '/v1/webhooks',
    role: 'admin',
    scope: 'installation',
    summary:
      'Have events sent to an address; the answer shows the secret that deliveries are signed with, this once',
    body: webhookRequestSchema,
    response: createdWebhookSchema,
    status: 201,
  },
  listWebhooks: {
    method: 'GET',
    path: '/v1/webhooks',
    role: 'admin',
    scope: 'installation',
    summary: 'Webhooks, newest first',
    query: pageQuerySchema,
    response: pageSchema(webhookSchema),
    status: 200,
  },
  deleteWebhook: {
    method: 'DELETE',
    path: '/v1/webhooks/{webhook}',
    role: 'admin',
    scope: 'installation',
    summary: 'Send no more events there; what waits is dropped',
    params: webhookParams,
    response: webhookSchema,
    status: 200,
  },
  listDeliveries: {
    method: 'GET',
    path: '/v1/webhooks/{webhook}/deliveries',
    role: 'admin',
    scope: 'installation',
    summary: 'Deliveries to a webhook, newest first',
    params: webhookParams,
    query: z.strictObject({ ...pageQuery, state: deliveryStateSchema.optional() }),
    response: pageSchema(deliverySchema),
    status: 200,
  },
  replayDelivery: {
    method: 'POST',
    path: '/v1/deliveries/{delivery}/replay',
    role: 'admin',
    scope: 'installation',
    summary: 'Send a delivery again, with the id it had',
    params: z.strictObject({ delivery: idSchema('delivery') }),
    response: deliverySchema,
    status: 202,
  },
} as const satisfies Record<string, Route>;
