import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { residencySchema, type Endpoint, type Page, type Problem } from '@perennial/contract';
import { saveEndpoint } from '@perennial/storage';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform();
  const { sql, orm } = test.database;
  await sql`insert into models (name, created_at, latest_version) values ('brought', now(), 0), ('visits', now(), 0)`;
  await saveEndpoint(orm, {
    name: 'visits',
    serving: { modes: ['online', 'offline'] },
    source: 'pipeline',
    at: test.clock.now(),
    by: 'pipeline:visits',
  });
});
afterAll(() => test.stop());

const send = (method: string, path: string, body?: unknown) =>
  test.request(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

describe('endpoints over HTTP', () => {
  it('are those of all models, each with who says how it is served', async () => {
    const { items } = (await (await send('GET', '/v1/endpoints')).json()) as Page<Endpoint>;
    expect(items.map(({ name, source, serving }) => [name, source, serving.modes])).toEqual([
      ['brought', 'default', ['online']],
      ['visits', 'pipeline', ['online', 'offline']],
    ]);
    const missing = await send('GET', '/v1/endpoints/nothing');
    expect(((await missing.json()) as Problem).title).toBe('endpoint-not-found');
  });

  it('of a model that no pipeline makes are changed, on the audit with the reason', async () => {
    const serving = { modes: ['online'], cache: { predictions: { maxAge: '15m', maxBytes: 1_000_000 } } };
    const changed = await send('PATCH', '/v1/endpoints/brought', { serving, reason: 'Asked often' });
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject({ name: 'brought', serving, source: 'operator' });
    expect(await (await send('GET', '/v1/endpoints/brought')).json()).toMatchObject({ serving });
    const entries = await test.database
      .sql`select action, subject, reason, details from audit_entries where action = 'endpoint.changed'`;
    expect(entries).toEqual([
      {
        action: 'endpoint.changed',
        subject: 'endpoint:brought',
        reason: 'Asked often',
        details: { before: { modes: ['online'] }, after: serving },
      },
    ]);
  });

  it('of a model that a pipeline makes are not, and the answer says where', async () => {
    const refused = await send('PATCH', '/v1/endpoints/visits', { serving: { modes: ['online'] } });
    expect(refused.status).toBe(409);
    const problem = (await refused.json()) as Problem;
    expect(problem).toMatchObject({ title: 'conflict', details: { pipeline: 'visits' } });
    expect(problem.detail).toContain('the file of its pipeline');
  });

  it('are refused when they make no sense', async () => {
    const refused = await send('PATCH', '/v1/endpoints/brought', { serving: { modes: [] } });
    expect(refused.status).toBe(400);
  });
});

it('what is in memory is told, with what of it may be used', async () => {
  const residency = residencySchema.parse(await (await send('GET', '/v1/serving/residents')).json());
  expect(residency).toMatchObject({ memoryBytes: 1024 ** 3, residents: 0, models: [], refused: [] });
  const metrics = await (await test.request('/metrics')).text();
  expect(metrics).toContain('perennial_models_resident_bytes 0');
});
