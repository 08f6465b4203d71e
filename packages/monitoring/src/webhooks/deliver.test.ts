import type { ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IdGenerator, ManualClock, formatId, parseId, type Delivery } from '@perennial/contract';
import {
  deleteWebhook,
  getDelivery,
  listAudit,
  listDeliveries,
  raiseAlert,
  transaction,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { startWebhookReceiver, type WebhookReceiver } from '../testing/webhook-receiver.ts';
import { deliverWebhook, type DeliveryDependencies } from './deliver.ts';
import type { WebhookNetwork } from './destination.ts';
import { createWebhook, replayWebhookDelivery } from './webhook-desk.ts';

// The published verifier refuses what was signed long ago by the machine's own clock.
const clock = new ManualClock(new Date());
const ids = new IdGenerator(clock);
const network: WebhookNetwork = { allowPrivate: true };
const asked = { by: 'local', origin: '203.0.113.7 req_1' };
const never = new AbortController().signal;
let test: TestDatabase;
let receiver: WebhookReceiver;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());
beforeEach(async () => {
  receiver = await startWebhookReceiver();
  await test.database.sql`truncate webhook_deliveries, webhooks, alerts`;
  await test.database.sql`delete from graphile_worker._private_jobs`;
});
afterEach(() => receiver.close());

/** A webhook that wants alerts, with one on its way to it. */
async function raiseOne({ url = receiver.url }: { url?: string } = {}) {
  const desk = { database: test.database, clock, ids, network };
  const webhook = await createWebhook(desk, { request: { url, events: ['alert.raised'] }, ...asked });
  const alert = await transaction(test.database, (tx) =>
    raiseAlert(tx, {
      id: ids.next(),
      kind: 'candidate-worse',
      severity: 'critical',
      model: 'flight-delay',
      runId: null,
      version: 3,
      title: 'Worse in Zürich',
      message: 'The candidate is worse than the champion.',
      details: { difference: -0.02 },
      at: clock.now(),
    }),
  );
  const [delivery] = (await listDeliveries(test.database.orm, parseId('webhook', webhook.id), { limit: 2 }))
    .items;
  if (delivery === undefined) throw new Error('Nothing is on its way.');
  return { webhook, alert, delivery };
}

type Changes = Partial<DeliveryDependencies> & { signal?: AbortSignal; priorAttempts?: number };

/** Makes an attempt, and gives what is on record then. */
async function deliver({ id }: Delivery, { signal = never, priorAttempts, ...changes }: Changes = {}) {
  const dependencies = { database: test.database, clock, network, random: () => 0.5, ...changes };
  const job = { delivery: id, ...(priorAttempts ? { priorAttempts } : {}) };
  await deliverWebhook(dependencies, job, signal);
  return getDelivery(test.database.orm, parseId('delivery', id));
}

const jobs = () =>
  test.database.sql<{ payload: { priorAttempts?: number } }[]>`
    select payload from graphile_worker._private_jobs`;

function deferred() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('a delivery that is taken', () => {
  it('is the event as JSON, signed so that the published verifier accepts it', async () => {
    const { webhook, alert, delivery } = await raiseOne();
    const delivered = await deliver(delivery);
    const [request] = receiver.received;
    const event = new Webhook(webhook.secret).verify(request?.body ?? '', request?.headers ?? {});
    expect(event).toEqual({ type: 'alert.raised', timestamp: alert.at, data: alert });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': delivery.id,
      'webhook-timestamp': String(Math.floor(clock.now().getTime() / 1000)),
      'x-mlflow-delivery-id': delivery.id,
    });
    expect(delivered).toMatchObject({ state: 'delivered', attempts: 1, lastStatus: 204, lastError: null });
    expect(delivered.endedAt).toBe(clock.now().toISOString());
  });

  it('is not sent again by a job that runs twice', async () => {
    const { delivery } = await raiseOne();
    await deliver(delivery);
    await deliver(delivery);
    expect(receiver.received).toHaveLength(1);
  });

  it('counts by its status where the answer is without end', async () => {
    const { delivery } = await raiseOne();
    receiver.answer((response) => {
      response.writeHead(200);
      const fill = () => {
        while (response.write('x'.repeat(1_000)));
      };
      response.on('drain', fill);
      fill();
    });
    expect(await deliver(delivery)).toMatchObject({ state: 'delivered', lastStatus: 200 });
  });

  it('counts by its status where the answer breaks off', async () => {
    const { delivery } = await raiseOne();
    receiver.answer((response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    expect(await deliver(delivery)).toMatchObject({ state: 'delivered', lastStatus: 200 });
  });
});

describe('a receiver that is down', () => {
  it('is sent to again when it is up, under the same id and with a signature of that moment', async () => {
    const { webhook, delivery } = await raiseOne();
    await receiver.close();
    const refused = await deliver(delivery);
    expect(refused).toMatchObject({ state: 'pending', attempts: 1, lastStatus: null });
    expect(refused.lastError).toContain('ECONNREFUSED');
    expect(refused.nextAttemptAt).toBe(new Date(clock.now().getTime() + 2_500).toISOString());
    receiver = await startWebhookReceiver(receiver.port);
    clock.advance(5_000);
    expect(await deliver(delivery)).toMatchObject({ state: 'delivered', attempts: 2, lastError: null });
    const [request] = receiver.received;
    expect(request?.headers).toMatchObject({
      'webhook-id': delivery.id,
      'webhook-timestamp': String(Math.floor(clock.now().getTime() / 1000)),
    });
    new Webhook(webhook.secret).verify(request?.body ?? '', request?.headers ?? {});
  });

  it('is given up after nine attempts, and that is said', async () => {
    const { webhook, delivery } = await raiseOne();
    receiver.answer((response) => void response.writeHead(503).end());
    const said: unknown[] = [];
    const states: string[] = [];
    for (let attempt = 1; attempt <= 9; attempt++)
      states.push((await deliver(delivery, { log: (line) => said.push(line) })).state);
    expect(states).toEqual([...Array.from({ length: 8 }, () => 'pending'), 'failed']);
    expect(receiver.received).toHaveLength(9);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([delivery.id]),
    );
    expect(said).toEqual([
      { message: 'a webhook delivery is given up', delivery: delivery.id, webhook: webhook.id },
    ]);
  });

  it('and replayed to has as many attempts as at first, which go on being counted', async () => {
    const { webhook, delivery } = await raiseOne();
    receiver.answer((response) => void response.writeHead(503).end());
    for (let attempt = 1; attempt <= 9; attempt++) await deliver(delivery);
    const replayed = await replayWebhookDelivery(
      { database: test.database, clock },
      { delivery: delivery.id, ...asked },
    );
    const { items } = await listAudit(test.database.orm, { limit: 1, action: 'webhook.replayed' });
    const subject = `webhook:${webhook.id}`;
    expect(items).toMatchObject([{ ...asked, subject, details: { delivery: delivery.id } }]);
    expect(replayed).toMatchObject({ id: delivery.id, state: 'pending', attempts: 9, endedAt: null });
    const [job] = await jobs();
    expect(job?.payload.priorAttempts).toBe(9);
    const failed = await deliver(delivery, { priorAttempts: 9 });
    expect(failed).toMatchObject({ state: 'pending', attempts: 10 });
    expect(failed.nextAttemptAt).toBe(new Date(clock.now().getTime() + 2_500).toISOString());
    expect((await jobs()).map(({ payload }) => payload.priorAttempts)).toEqual([9]);
  });
});

describe('an answer that is no success', () => {
  const answers: [number, string][] = [
    [500, 'The receiver answered 500.'],
    [404, 'The receiver answered 404.'],
    [429, 'The receiver answered 429.'],
  ];
  it.each(answers)('%d has the delivery wait', async (status, error) => {
    const { delivery } = await raiseOne();
    receiver.answer((response) => void response.writeHead(status).end());
    expect(await deliver(delivery)).toMatchObject({ state: 'pending', lastStatus: status, lastError: error });
    expect(await jobs()).toHaveLength(1);
  });

  it('410 ends the delivery at once', async () => {
    const { delivery } = await raiseOne();
    receiver.answer((response) => void response.writeHead(410).end());
    expect(await deliver(delivery)).toMatchObject({ state: 'failed', attempts: 1, lastStatus: 410 });
  });

  it.each([301, 302, 303, 307, 308])('%d is not followed', async (status) => {
    const { delivery } = await raiseOne();
    receiver.answer((response) => void response.writeHead(status, { location: '/elsewhere' }).end());
    const waiting = await deliver(delivery);
    expect(waiting).toMatchObject({ state: 'pending', lastStatus: status });
    expect(waiting.lastError).toContain('Redirects are not followed.');
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook']);
  });

  it('says when to come back, within an hour', async () => {
    const { delivery } = await raiseOne();
    receiver.answer((response) => void response.writeHead(503, { 'retry-after': '600' }).end());
    const { nextAttemptAt } = await deliver(delivery);
    expect(nextAttemptAt).toBe(new Date(clock.now().getTime() + 600_000).toISOString());
  });

  it('is repeated in part, without what a terminal or the database would choke on', async () => {
    const { delivery } = await raiseOne();
    const body = Buffer.concat([
      Buffer.from('no\u0000\u001b[31m\nroom'),
      Buffer.from([0xff]),
      Buffer.alloc(9_000, 'x'),
    ]);
    receiver.answer((response) => void response.writeHead(500).end(body));
    const { lastError } = await deliver(delivery);
    expect(lastError).toMatch(/^The receiver answered 500\. It said: no \[31m room\ufffdx+$/);
    expect(lastError?.length).toBeLessThan(1_100);
  });

  const breaks: [string, (response: ServerResponse) => void][] = [
    ['none', (response) => void response.destroy()],
    ['none that is HTTP', ({ socket }) => void socket?.end('nonsense\r\n\r\n')],
    [
      'a change of protocol',
      ({ socket }) => void socket?.end('HTTP/1.1 101 x\r\nupgrade: y\r\nconnection: upgrade\r\n\r\n'),
    ],
  ];
  it.each(breaks)('but %s has the delivery wait as well', async (_, respond) => {
    const { delivery } = await raiseOne();
    receiver.answer(respond);
    const waiting = await deliver(delivery);
    expect(waiting).toMatchObject({ state: 'pending', attempts: 1, lastStatus: null });
    expect(waiting.lastError).toMatch(/^Nothing could be sent: ./);
  });

  it('that does not come in time has the delivery wait', async () => {
    const { delivery } = await raiseOne();
    receiver.answer(() => undefined);
    const impatient = { ...network, timeoutMilliseconds: 50 };
    const waiting = await deliver(delivery, { network: impatient });
    expect(waiting).toMatchObject({
      state: 'pending',
      lastStatus: null,
      lastError: 'No answer within 50 ms.',
    });
  });

  it('nor a name that is not resolved in time', async () => {
    const { delivery } = await raiseOne({ url: 'http://localhost:1/' });
    const impatient = {
      allowPrivate: true,
      timeoutMilliseconds: 50,
      resolve: () => new Promise<never>(() => undefined),
    };
    expect(await deliver(delivery, { network: impatient })).toMatchObject({
      lastError: 'No answer within 50 ms.',
    });
  });
});

describe('an address', () => {
  const loopback = { address: '127.0.0.1', family: 4 as const };

  it('that is private is not sent to, and the record says which setting allows it', async () => {
    const { delivery } = await raiseOne();
    const waiting = await deliver(delivery, { network: { allowPrivate: false } });
    expect(waiting).toMatchObject({ state: 'pending', attempts: 1, lastStatus: null });
    expect(waiting.lastError).toContain('PERENNIAL_WEBHOOK_ALLOW_PRIVATE=true');
    expect(receiver.received).toEqual([]);
  });

  it('that a name has come to lead to since is not sent to either', async () => {
    const { delivery } = await raiseOne({ url: `http://localhost:${receiver.port}/` });
    const moved = { allowPrivate: false, resolve: async () => [loopback] };
    expect((await deliver(delivery, { network: moved })).lastError).toContain('leads to 127.0.0.1');
    expect(receiver.received).toEqual([]);
  });

  it('is the one that was checked, though the name would lead elsewhere when asked again', async () => {
    const { delivery } = await raiseOne();
    const url = `http://rebinding.invalid:${receiver.port}/hook`;
    await test.database.sql`update webhooks set url = ${url}`;
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return asked === 1 ? [loopback] : [{ address: '192.0.2.1', family: 4 as const }];
    };
    const delivered = await deliver(delivery, { network: { allowPrivate: true, resolve } });
    expect(delivered.state).toBe('delivered');
    expect(asked).toBe(1);
    expect(receiver.received[0]?.headers['host']).toBe(`rebinding.invalid:${receiver.port}`);
  });
});

describe('a worker', () => {
  it('that is stopped before the answer does not count its attempt', async () => {
    const { delivery } = await raiseOne();
    const stop = new AbortController();
    const reason = new Error('The worker stops.');
    receiver.answer(() => stop.abort(reason));
    await expect(deliver(delivery, { signal: stop.signal })).rejects.toBe(reason);
    const untouched = await getDelivery(test.database.orm, parseId('delivery', delivery.id));
    expect(untouched).toMatchObject({ state: 'pending', attempts: 0 });
  });

  it('that sends what another sends at the same time counts no attempt of its own', async () => {
    const { delivery } = await raiseOne();
    const { promise: both, resolve: go } = deferred();
    receiver.answer((response) => {
      if (receiver.received.length === 2) go();
      void both.then(() => response.writeHead(503).end());
    });
    await Promise.all([deliver(delivery), deliver(delivery)]);
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([delivery.id, delivery.id]);
    const left = await getDelivery(test.database.orm, parseId('delivery', delivery.id));
    expect(left).toMatchObject({ state: 'pending', attempts: 1 });
    expect(await jobs()).toHaveLength(1);
  });

  it('whose webhook is deleted while it sends leaves the delivery as dropped', async () => {
    const { webhook, delivery } = await raiseOne();
    const id = parseId('webhook', webhook.id);
    receiver.answer((response) => {
      const removed = transaction(test.database, (tx) => deleteWebhook(tx, id, clock.now()));
      void removed.then(() => response.writeHead(500).end());
    });
    const dropped = { state: 'failed', attempts: 0, lastError: 'The webhook was deleted.' };
    expect(await deliver(delivery)).toMatchObject(dropped);
  });

  it('finds nothing to do for a delivery that is not there', async () => {
    const dependencies = { database: test.database, clock, network };
    const delivery = formatId('delivery', ids.next());
    await expect(deliverWebhook(dependencies, { delivery }, never)).resolves.toBeUndefined();
  });
});
