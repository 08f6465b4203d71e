import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema } from './names.ts';

/** What a webhook may be told of. */
export const WEBHOOK_EVENTS = [
  'alert.raised',
  'model-version.registered',
  'prediction.completed',
  'prediction.failed',
  'release.requested',
  'release.approved',
  'release.live',
  'release.rejected',
  'release.rolled-back',
  'release.superseded',
] as const;
export const webhookEventTypeSchema = z.enum(WEBHOOK_EVENTS);
export type WebhookEventType = z.infer<typeof webhookEventTypeSchema>;

/** The body of a delivery (https://www.standardwebhooks.com): `data` is the alert, the version, the release or the asynchronous prediction as the REST API shows it; of one with more than
 * a thousand answers, without the response. */
export const webhookEventSchema = z.strictObject({
  type: webhookEventTypeSchema,
  timestamp: instantSchema,
  data: z.record(z.string(), z.unknown()),
});
export type WebhookEvent = z.infer<typeof webhookEventSchema>;

const eventTypes = z.array(webhookEventTypeSchema).min(1).max(WEBHOOK_EVENTS.length);

export const webhookRequestSchema = z.strictObject({
  /** http or https; its host must not lead into the platform's own machine or network unless the installation allows it. */
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  events: eventTypes,
  /** Only events of this model; absent: of all. */
  model: nameSchema.optional(),
});
export type WebhookRequest = z.infer<typeof webhookRequestSchema>;

export const webhookSchema = z.strictObject({
  id: idSchema('webhook'),
  url: z.string(),
  events: eventTypes,
  model: nameSchema.nullable(),
  createdBy: z.string(),
  createdAt: instantSchema,
});
export type Webhook = z.infer<typeof webhookSchema>;

/** With the secret, which is shown this once: `whsec_` and the base64 of 32 random bytes. */
export const createdWebhookSchema = webhookSchema.extend({ secret: z.string() });
export type CreatedWebhook = z.infer<typeof createdWebhookSchema>;

export const deliveryStateSchema = z.enum(['pending', 'delivered', 'failed']);
export type DeliveryState = z.infer<typeof deliveryStateSchema>;

/** One event on its way to one webhook. */
export const deliverySchema = z.strictObject({
  id: idSchema('delivery'),
  webhook: idSchema('webhook'),
  event: webhookEventSchema,
  state: deliveryStateSchema,
  attempts: z.int().nonnegative(),
  /** Of a pending one. */
  nextAttemptAt: instantSchema.nullable(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  createdAt: instantSchema,
  endedAt: instantSchema.nullable(),
});
export type Delivery = z.infer<typeof deliverySchema>;
