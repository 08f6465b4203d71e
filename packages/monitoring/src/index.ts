export * from './errors.ts';
export * from './ground-truth.ts';
export * from './live-report.ts';
export * from './webhooks/deliver.ts';
export type { HostAddress, WebhookNetwork } from './webhooks/destination.ts';
export * from './webhooks/webhook-desk.ts';
