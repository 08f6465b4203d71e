import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '@perennial/cli';
import { createClient, type Client } from '@perennial/client';
import type { Delivery } from '@perennial/contract';
import { startWebhookReceiver, type Received, type WebhookReceiver } from '@perennial/monitoring/testing';
import { raiseAlert, socketUrl, transaction, type Database } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { scratchFolder } from './harness/test-platform.ts';
import { VictimProcess } from './harness/victim-process.ts';

let test: TestDatabase;
let remove: () => Promise<void>;
let environment: Record<string, string>;
let receiver: WebhookReceiver;
let platform: VictimProcess;

beforeAll(async () => {
  const scratch = await scratchFolder();
  const { folder } = scratch;
  test = await createTestDatabase();
  remove = async () => {
    await test.drop();
    await scratch.remove();
  };
  await mkdir(join(folder, 'pipelines'));
  environment = {
    DATABASE_URL: 'url' in test.address ? test.address.url : socketUrl(test.address.connection),
    PERENNIAL_HOME: join(folder, 'home'),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_PORT: '0',
    PERENNIAL_LOG_LEVEL: 'error',
    PERENNIAL_WEBHOOK_ALLOW_PRIVATE: 'true',
  };
  platform = await VictimProcess.start(environment);
});
afterAll(async () => {
  await platform.stop();
  await remove();
});
beforeEach(async () => {
  receiver = await startWebhookReceiver();
});
afterEach(() => receiver.close());

/** As validation does when a candidate is worse than what is in production. */
function raise(database: Database, model: string) {
  return transaction(database, (tx) =>
    raiseAlert(tx, {
      id: randomUUID(),
      kind: 'candidate-worse',
      severity: 'critical',
      model,
      runId: null,
      version: 3,
      title: 'The candidate is worse than the champion',
      message: 'auc 0.71 against 0.78.',
      details: { metric: 'auc' },
      at: new Date(),
    }),
  );
}

async function deliveryTo(client: Client, webhook: string): Promise<Delivery | undefined> {
  return (await client.listDeliveries({ params: { webhook }, query: {} })).items[0];
}

/**
 * The event that a receiver with the secret takes out of a request. The platform's clock stands at another time than the machine's, and the published verifier
 * takes no signature that is five minutes old.
 */
function verified(secret: string, { body, headers }: Received): unknown {
  vi.setSystemTime(Number(headers['webhook-timestamp']) * 1000);
  try {
    return new Webhook(secret).verify(body, headers);
  } finally {
    vi.useRealTimers();
  }
}

describe('an alert', () => {
  it('reaches a receiver that was down, once it is up', async () => {
    const { client } = platform;
    const body = { url: receiver.url, events: ['alert.raised' as const], model: 'down' };
    const webhook = await client.createWebhook({ body });
    receiver.answer((response) => {
      const down = receiver.received.length < 3;
      response.writeHead(down ? 503 : 200).end();
    });
    const alert = await raise(test.database, 'down');
    // What is due by the platform's clock is long due by the database's, which the queue goes by: nothing pauses here.
    const delivered = { state: 'delivered', attempts: 3, lastStatus: 200 };
    await expect.poll(() => deliveryTo(client, webhook.id), { timeout: 60_000 }).toMatchObject(delivered);
    const events = receiver.received.map((request) => verified(webhook.secret, request));
    expect(events).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ data: alert }) as unknown),
    );
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('is sent again, under the same id, where the worker died between sending it and writing that down', async () => {
    const body = { url: receiver.url, events: ['alert.raised' as const], model: 'killed' };
    const webhook = await platform.client.createWebhook({ body });
    // The first request is held: its sender will never hear of it.
    const arrived = new Promise<void>((resolve) => receiver.answer(() => resolve()));
    await raise(test.database, 'killed');
    await arrived;
    await platform.kill();
    receiver.answer((response) => void response.writeHead(200).end());
    platform = await VictimProcess.start(environment);
    const delivered = { state: 'delivered', attempts: 1 };
    await expect
      .poll(() => deliveryTo(platform.client, webhook.id), { timeout: 60_000 })
      .toMatchObject(delivered);
    const [first, second, ...more] = receiver.received;
    expect(more).toEqual([]);
    if (first === undefined || second === undefined) throw new Error('It was not sent twice.');
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(verified(webhook.secret, second)).toEqual(verified(webhook.secret, first));
  });
});

describe('perennial webhooks', () => {
  async function perennial(...command: string[]) {
    const said = { out: '', error: '' };
    const status = await main(['node', 'perennial', ...command, '--url', platform.client.baseUrl], {
      write: (text) => void (said.out += text),
      writeError: (text) => void (said.error += text),
      interactive: false,
    });
    return { status, ...said };
  }

  it('adds, lists, replays and removes; perennial alerts shows what was told', async () => {
    const added = await perennial('webhooks', 'add', receiver.url, '--event', 'alert.raised', 'release.live');
    expect(added).toMatchObject({ status: 0, error: '' });
    const [, id = '', secret = ''] =
      /^(hook_\S+) sends alert\.raised, release\.live of all models.*\n.*(whsec_\S+)\n$/.exec(added.out) ??
      [];
    const raised = await raise(test.database, 'flight-delay');
    const client = createClient({ baseUrl: platform.client.baseUrl });
    const taken = () => deliveryTo(client, id);
    await expect.poll(taken, { timeout: 20_000 }).toMatchObject({ state: 'delivered', attempts: 1 });
    const [request] = receiver.received;
    expect(request && verified(secret, request)).toMatchObject({ data: raised });

    expect((await perennial('webhooks', 'list')).out).toContain(receiver.url);
    const deliveries = await perennial('webhooks', 'deliveries', id, '--state', 'delivered');
    const [delivery = ''] = /dlv_[0-9a-f-]+/.exec(deliveries.out) ?? [];
    expect(await perennial('webhooks', 'replay', delivery)).toMatchObject({
      status: 0,
      out: `${delivery} is sent again; attempts so far: 1\n`,
    });
    await expect.poll(taken, { timeout: 20_000 }).toMatchObject({ state: 'delivered', attempts: 2 });
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([delivery, delivery]);

    const alerts = await perennial('alerts', '--model', 'flight-delay');
    expect(alerts.out).toContain('The candidate is worse than the champion');
    expect(JSON.parse((await perennial('alerts', '--model', 'flight-delay', '--json')).out)).toEqual([
      raised,
    ]);

    expect((await perennial('webhooks', 'remove', id)).out).toMatch(/sends nothing to .* any more\n$/);
    expect((await perennial('webhooks', 'list', '--json')).out).not.toContain(id);
    expect(await perennial('webhooks', 'replay', delivery)).toMatchObject({ status: 1 });
  });

  it.each([
    ['an event that is none', ['webhooks', 'add', 'https://hooks.example', '--event', 'release.deleted'], 2],
    ['no event', ['webhooks', 'add', 'https://hooks.example'], 2],
    ['an address that is none', ['webhooks', 'add', 'nonsense', '--event', 'alert.raised'], 1],
    ['a limit that is none', ['alerts', '--limit', '0'], 2],
    ['an id that is none', ['webhooks', 'remove', 'hook_1'], 1],
  ])('says what is wrong with %s', async (_, command, expected) => {
    const { status, error } = await perennial(...command);
    expect(status).toBe(expected);
    expect(error).not.toBe('');
  });
});
