import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retentionReportSchema } from '@perennial/contract';
import { queueRetentionPass, transaction } from '@perennial/storage';
import { retentionChore } from '../platform/retention.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform();
});
afterAll(() => test.stop());

const send = (method: string, path: string, body?: unknown) =>
  test.request(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

describe('retention over HTTP', () => {
  it('keeps everything until it is told otherwise, kind by kind', async () => {
    const none = { maxAge: null, keepLast: null };
    const first = await send('GET', '/v1/retention');
    expect(await first.json()).toEqual({ predictions: none, datasets: none, artifacts: none, runs: none });
    const predictions = { maxAge: '400d', keepLast: null };
    const changed = await send('PATCH', '/v1/retention', { predictions });
    expect(await changed.json()).toMatchObject({ predictions, runs: none });
    const refused = await send('PATCH', '/v1/retention', { predictions: { maxAge: null, keepLast: 3 } });
    expect(refused.status).toBe(400);
  });

  it('says what would go, and then removes it', async () => {
    const planned = retentionReportSchema.parse(await (await send('GET', '/v1/retention/plan')).json());
    expect(planned).toMatchObject({ dryRun: true, parts: { length: 4 } });
    const applied = await send('POST', '/v1/retention/apply');
    expect(applied.status).toBe(200);
    expect(retentionReportSchema.parse(await applied.json()).dryRun).toBe(false);
  });
});

describe('personal data over HTTP', () => {
  it('is told and erased, with the caller and the reason on the audit', async () => {
    const told = await send('GET', '/v1/personal-data?key=ada');
    expect(await told.json()).toMatchObject({ key: 'ada', predictions: [], truncated: false });
    const body = { key: 'ada', reason: 'Request of 3 May' };
    const erased = await send('POST', '/v1/personal-data/erasures', body);
    expect(await erased.json()).toMatchObject({ key: 'ada', predictions: 0, remaining: [] });
    const entries = await test.database
      .sql`select action, reason, origin from audit_entries where action like 'data.%' order by sequence`;
    expect(entries).toMatchObject([
      { action: 'data.exported' },
      { action: 'data.erased', reason: 'Request of 3 May' },
    ]);
  });

  it('takes a reason, and no key without an end', async () => {
    expect((await send('POST', '/v1/personal-data/erasures', { key: 'ada' })).status).toBe(400);
    expect((await send('GET', `/v1/personal-data?key=${'k'.repeat(257)}`)).status).toBe(400);
  });
});

describe('the day’s pass', () => {
  it('is queued once, however many schedulers look', async () => {
    const { database, clock } = test;
    clock.set('2024-04-01T00:00:00Z');
    const chores = [1, 2].map(() => retentionChore({ database, clock }));
    await Promise.all(chores.map(({ tick }) => tick()));
    await Promise.all(chores.map(({ tick }) => tick()));
    const days = await database.sql`select day from retention_passes where day = '2024-04-01'`;
    expect(days).toHaveLength(1);
    const again = await transaction(database, (tx) => queueRetentionPass(tx, '2024-04-01', clock.now()));
    expect(again).toBe(false);
  });
});
