import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createdWebhookSchema,
  deliverySchema,
  parseId,
  type Alert,
  type CreatedWebhook,
  type Delivery,
  type Page,
  type Problem,
  type Webhook,
} from '@perennial/contract';
import { raiseAlert, transaction } from '@perennial/storage';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

const UUID = '0190b0a4-0000-7000-8000-000000000000';
let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform();
});
afterAll(() => test.stop());

interface Asked {
  body?: unknown;
  headers?: Record<string, string>;
}

async function ask<Body>(method: string, path: string, { body, headers }: Asked = {}) {
  const response = await test.request(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

// A public address that needs no name resolved. Nothing listens there for us, and nothing of these tests waits for it.
const url = 'http://192.88.98.1:9/hook';
const request = { url, events: ['alert.raised'], model: 'flight-delay' };
const create = () => ask<CreatedWebhook>('POST', '/v1/webhooks', { body: request });

describe('webhooks', () => {
  it('show their secret when they are made, and never again', async () => {
    const { status, body } = await create();
    expect(status).toBe(201);
    const { secret, ...webhook } = createdWebhookSchema.parse(body);
    const listed = await ask<Page<Webhook>>('GET', '/v1/webhooks');
    expect(listed.body.items).toContainEqual(webhook);
    expect(JSON.stringify(listed.body)).not.toContain(secret.slice('whsec_'.length));
  });

  it('are made anew at every request, and no secret is kept beside a request’s key', async () => {
    const keyed = { 'idempotency-key': 'once' };
    const first = await ask<CreatedWebhook>('POST', '/v1/webhooks', { body: request, headers: keyed });
    const second = await ask<CreatedWebhook>('POST', '/v1/webhooks', { body: request, headers: keyed });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.id).not.toBe(first.body.id);
    expect(
      await test.database.sql`select * from idempotency_keys where response::text like '%whsec_%'`,
    ).toEqual([]);
  });

  it('may not lead into the platform’s own network', async () => {
    const refused = await ask<Problem>('POST', '/v1/webhooks', {
      body: { ...request, url: 'http://localhost:5432/' },
    });
    expect(refused.status).toBe(400);
    expect(refused.body.detail).toContain('PERENNIAL_WEBHOOK_ALLOW_PRIVATE=true');
  });

  it.each([
    { ...request, url: 'ftp://hooks.example/' },
    { ...request, url: 'hooks.example' },
    { ...request, url: `https://hooks.example/${'x'.repeat(2_000)}` },
    { ...request, events: [] },
    { ...request, events: ['release.deleted'] },
    { ...request, model: '../etc' },
    { ...request, secret: 'mine' },
    {},
  ])('are refused where the request is not valid: %j', async (bad) => {
    expect(await ask('POST', '/v1/webhooks', { body: bad })).toMatchObject({
      status: 400,
      body: { title: 'invalid-request' },
    });
  });

  it('are deleted once', async () => {
    const { body } = await create();
    expect(await ask('DELETE', `/v1/webhooks/${body.id}`)).toMatchObject({
      status: 200,
      body: { id: body.id },
    });
    const again = await ask<Problem>('DELETE', `/v1/webhooks/${body.id}`);
    expect(again).toMatchObject({ status: 404, body: { title: 'webhook-not-found' } });
  });
});

describe('an alert', () => {
  it('is shown, and its delivery with it; what was dropped with its webhook is not sent again', async () => {
    const { body: webhook } = await create();
    const raised = await transaction(test.database, (tx) =>
      raiseAlert(tx, {
        id: UUID,
        kind: 'candidate-worse',
        severity: 'warning',
        model: 'flight-delay',
        runId: null,
        version: null,
        title: 'Worse',
        message: 'It is worse.',
        details: {},
        at: test.clock.now(),
      }),
    );
    expect(await ask<Alert>('GET', `/v1/alerts/${raised.id}`)).toEqual({ status: 200, body: raised });
    expect((await ask<Page<Alert>>('GET', '/v1/alerts?model=flight-delay')).body.items).toEqual([raised]);
    expect((await ask<Page<Alert>>('GET', '/v1/alerts?model=other')).body.items).toEqual([]);
    await ask('DELETE', `/v1/webhooks/${webhook.id}`);
    const { body } = await ask<Page<Delivery>>('GET', `/v1/webhooks/${webhook.id}/deliveries?state=failed`);
    const [delivery] = body.items;
    expect(deliverySchema.parse(delivery)).toMatchObject({ webhook: webhook.id, event: { data: raised } });
    const replay = await ask<Problem>('POST', `/v1/deliveries/${delivery?.id}/replay`);
    expect(replay).toMatchObject({ status: 409, body: { title: 'conflict' } });
    expect(parseId('alert', raised.id)).toBe(UUID);
  });
});

it.each([
  ['GET', `/v1/alerts/alert_${UUID.replace('0190', '0191')}`, 'alert-not-found'],
  ['GET', `/v1/webhooks/hook_${UUID}/deliveries`, 'webhook-not-found'],
  ['POST', `/v1/deliveries/dlv_${UUID}/replay`, 'delivery-not-found'],
])('%s %s is answered %s', async (method, path, title) => {
  expect(await ask<Problem>(method, path)).toMatchObject({ status: 404, body: { title } });
});

it('an address that takes other methods says which', async () => {
  const response = await test.request(`/v1/webhooks/hook_${UUID}`, { method: 'PATCH' });
  expect(response.status).toBe(405);
  expect(await response.json()).toMatchObject({ details: { allowed: ['DELETE'] } });
});
