import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  IdGenerator,
  ManualClock,
  NotFoundError,
  alertSchema,
  deliverySchema,
  formatId,
  parseId,
  webhookSchema,
  type Release,
  type WebhookEventType,
} from '@perennial/contract';
import { transaction } from '../database/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { getAlert, listAlerts, raiseAlert, type NewAlert } from './alerts.ts';
import {
  getDelivery,
  listDeliveries,
  publishEvent,
  recordAttempt,
  replayDelivery,
  takeDelivery,
} from './webhook-deliveries.ts';
import { countWebhooksForInsert, deleteWebhook, insertWebhook, listWebhooks } from './webhooks.ts';

const clock = new ManualClock('2024-03-11T03:00:00Z');
const ids = new IdGenerator(clock);
let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());
beforeEach(async () => {
  await test.database.sql`truncate webhook_deliveries, webhooks, alerts`;
  await test.database.sql`delete from graphile_worker._private_jobs`;
});

/** Plain id of a new webhook. */
async function addWebhook(events: WebhookEventType[], model: string | null = null): Promise<string> {
  const id = ids.next();
  const createdAt = clock.now();
  const url = 'https://hooks.example/a';
  const webhook = { id, url, events, model, secret: 'whsec_AAAA', createdBy: 'local', createdAt };
  await transaction(test.database, (tx) => insertWebhook(tx, webhook));
  return id;
}

const alert = (changes: Partial<NewAlert> = {}): NewAlert => ({
  id: ids.next(),
  kind: 'candidate-worse',
  severity: 'critical',
  model: 'flight-delay',
  runId: null,
  version: 3,
  title: 'Worse than production',
  message: 'The candidate is worse than the champion.',
  details: { difference: -0.02, verdict: '12' },
  at: clock.now(),
  ...changes,
});
const raise = (changes: Partial<NewAlert> = {}) =>
  transaction(test.database, (tx) => raiseAlert(tx, alert(changes)));

const release = (): Release => ({
  id: formatId('release', ids.next()),
  model: 'flight-delay',
  version: 3,
  state: 'live',
  override: false,
  approvers: 0,
  approvals: [],
  requestedBy: 'local',
  requestedAt: clock.now().toISOString(),
  decidedBy: null,
  reason: null,
  updatedAt: clock.now().toISOString(),
});

const deliveriesTo = async (webhook: string) =>
  (await listDeliveries(test.database.orm, webhook, { limit: 50 })).items;
const jobs = () =>
  test.database.sql<{ key: string; task: string; due: string }[]>`
    select key, task_identifier as task, run_at::text as due from graphile_worker.jobs order by key`;

describe('an alert', () => {
  it('is on record as it was raised, and shows what the contract says', async () => {
    const raised = await raise();
    expect(alertSchema.parse(raised)).toEqual(raised);
    expect(await getAlert(test.database.orm, parseId('alert', raised.id))).toEqual(raised);
    expect(raised.details).toEqual({ difference: -0.02, verdict: '12' });
  });

  it('is listed newest first, page by page, also of one model', async () => {
    const all = [await raise(), await raise({ model: 'other' }), await raise()].map(({ id }) => id).reverse();
    const first = await listAlerts(test.database.orm, { limit: 2 });
    const cursor = first.nextCursor ?? undefined;
    const second = await listAlerts(test.database.orm, { limit: 2, cursor });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(all);
    expect(second.nextCursor).toBeNull();
    const other = await listAlerts(test.database.orm, { limit: 2, model: 'other' });
    expect(other.items.map(({ id }) => id)).toEqual([all[1]]);
  });

  it('that was never raised is not found', async () => {
    await expect(getAlert(test.database.orm, ids.next())).rejects.toBeInstanceOf(NotFoundError);
  });

  it('is on its way to whoever wants alerts', async () => {
    const webhook = await addWebhook(['alert.raised']);
    const raised = await raise();
    const [delivery] = await deliveriesTo(webhook);
    expect(deliverySchema.parse(delivery)).toMatchObject({
      webhook: formatId('webhook', webhook),
      event: { type: 'alert.raised', timestamp: raised.at, data: raised },
      state: 'pending',
      attempts: 0,
      nextAttemptAt: clock.now().toISOString(),
    });
  });
});

describe('an event', () => {
  const publish = () =>
    transaction(test.database, (tx) =>
      publishEvent(tx, {
        type: 'release.live',
        model: 'flight-delay',
        data: release(),
        at: clock.now(),
        ids,
      }),
    );

  it('goes to every webhook that wants its type and its model, each with a job', async () => {
    const wanting = [
      await addWebhook(['release.live']),
      await addWebhook(['alert.raised', 'release.live'], 'flight-delay'),
    ];
    const others = [await addWebhook(['alert.raised']), await addWebhook(['release.live'], 'other')];
    const published = await publish();
    const found = (await Promise.all(wanting.map(deliveriesTo))).flat().map(({ id }) => id);
    expect(found).toEqual(published.map((id) => formatId('delivery', id)));
    expect((await Promise.all(others.map(deliveriesTo))).flat()).toEqual([]);
    expect(await jobs()).toMatchObject(
      [...published].sort().map((key) => ({ key, task: 'webhook.deliver' })),
    );
  });

  it('of a transaction that is rolled back goes nowhere: no row, no job', async () => {
    const webhook = await addWebhook(['release.live', 'alert.raised']);
    const failing = transaction(test.database, async (tx) => {
      await publishEvent(tx, { type: 'release.live', model: 'm', data: release(), at: clock.now(), ids });
      await raiseAlert(tx, alert());
      throw new Error('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    expect(await deliveriesTo(webhook)).toEqual([]);
    expect(await jobs()).toEqual([]);
    expect((await listAlerts(test.database.orm, { limit: 5 })).items).toEqual([]);
  });

  it('goes to no webhook that was deleted', async () => {
    const webhook = await addWebhook(['release.live']);
    await transaction(test.database, (tx) => deleteWebhook(tx, webhook, clock.now()));
    expect(await publish()).toEqual([]);
  });
});

describe('an attempt', () => {
  let id: string;
  beforeEach(async () => {
    const webhook = await addWebhook(['alert.raised']);
    await raise();
    const [delivery] = await deliveriesTo(webhook);
    id = parseId('delivery', delivery?.id ?? '');
  });
  const record = (attemptsBefore: number, state: 'delivered' | 'failed' | 'pending') => {
    const retry = { state: 'pending', nextAttemptAt: new Date('2024-03-11T04:00:00Z'), priorAttempts: 0 };
    const outcome = state === 'pending' ? (retry as { state: 'pending' } & typeof retry) : { state };
    const said = { status: 503, error: 'busy', at: clock.now() };
    return transaction(test.database, (tx) => recordAttempt(tx, { id, attemptsBefore, ...said, outcome }));
  };

  it('that is to be repeated leaves one job, due then', async () => {
    expect(await record(0, 'pending')).toBe(true);
    const delivery = await getDelivery(test.database.orm, id);
    const nextAttemptAt = '2024-03-11T04:00:00.000Z';
    expect(delivery).toMatchObject({ state: 'pending', attempts: 1, lastStatus: 503, nextAttemptAt });
    const [job, ...more] = await jobs();
    expect(new Date(job?.due ?? '').toISOString()).toBe(nextAttemptAt);
    expect(more).toEqual([]);
  });

  it('counts once when two workers made it', async () => {
    const both = [await record(0, 'pending'), await record(0, 'delivered')];
    expect(both).toEqual([true, false]);
    expect(await getDelivery(test.database.orm, id)).toMatchObject({ state: 'pending', attempts: 1 });
  });

  it('that ended the delivery leaves nothing to take', async () => {
    await record(0, 'delivered');
    expect(await takeDelivery(test.database.orm, id, clock.now())).toBeUndefined();
    expect(await record(1, 'failed')).toBe(false);
  });

  it('is made anew by a replay, and goes on being counted', async () => {
    await record(0, 'failed');
    expect(await transaction(test.database, (tx) => replayDelivery(tx, id, clock.now()))).toBe(true);
    const replayed = await getDelivery(test.database.orm, id);
    expect(replayed).toMatchObject({ state: 'pending', attempts: 1, endedAt: null });
    expect(await takeDelivery(test.database.orm, id, clock.now())).toMatchObject({ id, attempts: 1 });
    expect(await jobs()).toHaveLength(1);
  });

  it('of a delivery that never was is not found', async () => {
    const missing = transaction(test.database, (tx) => replayDelivery(tx, ids.next(), clock.now()));
    await expect(missing).rejects.toBeInstanceOf(NotFoundError);
    await expect(getDelivery(test.database.orm, ids.next())).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('a webhook', () => {
  it('is listed without its secret, newest first, page by page', async () => {
    const [a, b] = [await addWebhook(['release.live']), await addWebhook(['alert.raised'], 'm')];
    const first = await listWebhooks(test.database.orm, { limit: 1 });
    const cursor = first.nextCursor ?? undefined;
    const second = await listWebhooks(test.database.orm, { limit: 1, cursor });
    const listed = [...first.items, ...second.items];
    expect(listed.map(({ id }) => id)).toEqual([b, a].map((id) => formatId('webhook', id)));
    for (const webhook of listed) expect(webhookSchema.parse(webhook)).toEqual(webhook);
    expect(JSON.stringify(listed)).not.toContain('whsec_');
    expect(await transaction(test.database, (tx) => countWebhooksForInsert(tx))).toBe(2);
  });

  it('that is deleted drops what waits, forgets its secret, and keeps the record', async () => {
    const webhook = await addWebhook(['alert.raised']);
    await raise();
    const [waiting] = await deliveriesTo(webhook);
    const id = parseId('delivery', waiting?.id ?? '');
    await transaction(test.database, (tx) => deleteWebhook(tx, webhook, clock.now()));
    const dropped = { state: 'failed', lastError: 'The webhook was deleted.', nextAttemptAt: null };
    expect(await deliveriesTo(webhook)).toMatchObject([dropped]);
    expect(await takeDelivery(test.database.orm, id, clock.now())).toBeUndefined();
    expect(await transaction(test.database, (tx) => replayDelivery(tx, id, clock.now()))).toBe(false);
    expect(await test.database.sql`select secret from webhooks`).toEqual([{ secret: '' }]);
    expect((await listWebhooks(test.database.orm, { limit: 5 })).items).toEqual([]);
    expect(await transaction(test.database, (tx) => countWebhooksForInsert(tx))).toBe(0);
  });

  it('that is deleted while an event is on its way to it has that delivery fail when it is taken', async () => {
    const webhook = await addWebhook(['alert.raised']);
    await raise();
    const [waiting] = await deliveriesTo(webhook);
    await test.database.sql`update webhooks set deleted_at = now()`;
    const id = parseId('delivery', waiting?.id ?? '');
    expect(await takeDelivery(test.database.orm, id, clock.now())).toBeUndefined();
    expect(await deliveriesTo(webhook)).toMatchObject([{ state: 'failed' }]);
  });

  it('can be deleted once', async () => {
    const webhook = await addWebhook(['alert.raised']);
    const remove = () => transaction(test.database, (tx) => deleteWebhook(tx, webhook, clock.now()));
    expect(await remove()).toMatchObject({ id: formatId('webhook', webhook) });
    await expect(remove()).rejects.toBeInstanceOf(NotFoundError);
  });

  it('that never was has no deliveries to list', async () => {
    await expect(deliveriesTo(ids.next())).rejects.toBeInstanceOf(NotFoundError);
  });
});
