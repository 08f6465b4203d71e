import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  IdGenerator,
  ManualClock,
  NotFoundError,
  createdWebhookSchema,
  formatId,
  parseId,
  type WebhookRequest,
} from '@perennial/contract';
import {
  deleteWebhook,
  listAudit,
  listDeliveries,
  listWebhooks,
  publishEvent,
  transaction,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { TooManyWebhooksError, WebhookAddressError, WebhookDeletedError } from '../errors.ts';
import { createWebhook, removeWebhook, replayWebhookDelivery, type WebhookDesk } from './webhook-desk.ts';

const clock = new ManualClock('2024-03-11T03:00:00Z');
const ids = new IdGenerator(clock);
let test: TestDatabase;
let desk: WebhookDesk;
beforeAll(async () => {
  test = await createTestDatabase();
  const resolve = async () => [{ address: '93.184.216.34', family: 4 as const }];
  desk = { database: test.database, clock, ids, network: { allowPrivate: false, resolve } };
});
afterAll(() => test.drop());
beforeEach(() => test.database.sql`truncate webhook_deliveries, webhooks`.then(() => undefined));

const asked = { by: 'local', origin: '203.0.113.7 req_1' };
const create = (changes: Partial<WebhookRequest> = {}) =>
  createWebhook(desk, {
    request: { url: 'https://hooks.example/a?b=c', events: ['alert.raised'], ...changes },
    ...asked,
  });
const listed = async () => (await listWebhooks(test.database.orm, { limit: 200 })).items;

describe('a new webhook', () => {
  it('shows its secret once', async () => {
    const { secret, ...webhook } = await create({ events: ['release.live', 'release.live'], model: 'm' });
    expect(createdWebhookSchema.parse({ ...webhook, secret })).toMatchObject({
      url: 'https://hooks.example/a?b=c',
      events: ['release.live'],
      model: 'm',
      createdBy: 'local',
      createdAt: clock.now().toISOString(),
    });
    expect(await listed()).toEqual([webhook]);
  });

  it.each([
    'https://user@hooks.example/',
    'https://user:hunter2@hooks.example/',
    'https://:hunter2@hooks.example/',
  ])('holds no credentials: %s', async (url) => {
    const refused = await create({ url }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WebhookAddressError);
    expect((refused as WebhookAddressError).message).not.toContain('hunter2');
    expect(await listed()).toEqual([]);
  });

  it('leads to no private address', async () => {
    await expect(create({ url: 'http://169.254.169.254/' })).rejects.toMatchObject({
      code: 'invalid-request',
      details: { issues: [{ path: 'url', message: expect.stringContaining('(linkLocal)') as string }] },
    });
  });

  it('is refused beside a hundred others, however many ask at once, until one is deleted', async () => {
    for (let i = 0; i < 98; i++) await create();
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => create()));
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused).toHaveLength(4);
    for (const error of refused) expect(error).toBeInstanceOf(TooManyWebhooksError);
    const [one] = await listed();
    await removeWebhook(desk, { webhook: one?.id ?? '', ...asked });
    await create();
    expect(await listed()).toHaveLength(100);
  });
});

describe('the audit', () => {
  it('has who made and removed a webhook, and neither its secret nor more of its address than the host', async () => {
    const { id, secret } = await create({ url: 'https://hooks.example/services/T0/B0/hunter2?key=hunter2' });
    await removeWebhook(desk, { webhook: id, ...asked });
    const { items } = await listAudit(test.database.orm, { limit: 50, subject: `webhook:${id}` });
    const details = { receiver: 'https://hooks.example', events: ['alert.raised'], model: null };
    expect(items).toMatchObject([
      { action: 'webhook.deleted', ...asked, details },
      { action: 'webhook.created', ...asked, details },
    ]);
    expect(JSON.stringify(items)).not.toContain('hunter2');
    expect(JSON.stringify(items)).not.toContain(secret);
    await expect(removeWebhook(desk, { webhook: id, ...asked })).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('a replay', () => {
  it('of a delivery whose webhook was deleted is refused', async () => {
    const webhook = parseId('webhook', (await create({ events: ['release.live'] })).id);
    const release = {
      id: formatId('release', ids.next()),
      model: 'm',
      version: 1,
      state: 'live' as const,
      override: false,
      approvers: 0,
      approvals: [],
      requestedBy: 'local',
      requestedAt: clock.now().toISOString(),
      decidedBy: null,
      reason: null,
      updatedAt: clock.now().toISOString(),
    };
    await transaction(test.database, async (tx) => {
      await publishEvent(tx, { type: 'release.live', model: 'm', data: release, at: clock.now(), ids });
      await deleteWebhook(tx, webhook, clock.now());
    });
    const [delivery] = (await listDeliveries(test.database.orm, webhook, { limit: 1 })).items;
    const replay = replayWebhookDelivery(desk, { delivery: delivery?.id ?? '', ...asked });
    await expect(replay).rejects.toBeInstanceOf(WebhookDeletedError);
  });

  it('of a delivery that is not there is not found', async () => {
    const missing = replayWebhookDelivery(desk, { delivery: formatId('delivery', ids.next()), ...asked });
    await expect(missing).rejects.toBeInstanceOf(NotFoundError);
  });
});
