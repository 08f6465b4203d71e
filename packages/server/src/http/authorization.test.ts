import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES, allows, roleSchema, type Problem, type Role, type Route } from '@perennial/contract';
import { UnauthenticatedError } from '../errors.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

const routes = Object.entries(ROUTES) as [string, Route][];

let test: TestPlatform;
beforeAll(async () => {
  // Who asks as `Bearer operator` is an operator.
  test = await startTestPlatform({
    authenticate: ({ authorization }) => {
      const role = roleSchema.safeParse(authorization?.replace('Bearer ', ''));
      if (!role.success) throw new UnauthenticatedError();
      return { name: role.data, roles: [role.data], models: null };
    },
  });
});
afterAll(() => test.stop());

const UUID = '0190b0a4-0000-7000-8000-000000000000';
const SAMPLES: Record<string, string> = {
  run: `run_${UUID}`,
  release: `rel_${UUID}`,
  prediction: `pred_${UUID}`,
  alert: `alert_${UUID}`,
  webhook: `hook_${UUID}`,
  delivery: `dlv_${UUID}`,
  dataset: `sha256:${'0'.repeat(64)}`,
  version: '1',
};

function ask(route: Route, headers: Record<string, string>): Promise<Response> {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => SAMPLES[name] ?? 'absent');
  const json = { 'content-type': 'application/json' };
  return test.request(path, {
    method: route.method,
    headers: { ...headers, ...json },
    ...(route.method === 'POST' ? { body: '{}' } : {}),
  });
}
const problemOf = async (response: Response) => (await response.json()) as Problem;

describe.each(routes)('%s', (_, route) => {
  it('is for nobody without a name', async () => {
    const response = await ask(route, {});
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect((await problemOf(response)).title).toBe('unauthenticated');
  });

  const permitted = roleSchema.options.filter((role) => allows([role], route.role));
  const refused = roleSchema.options.filter((role) => !permitted.includes(role));

  it.each(permitted)('is for a caller who is %s', async (role: Role) => {
    const response = await ask(route, { authorization: `Bearer ${role}` });
    expect([401, 403, 405, 500]).not.toContain(response.status);
  });

  it.each(refused)('is not for a caller who is only %s', async (role: Role) => {
    const response = await ask(route, { authorization: `Bearer ${role}` });
    expect(response.status).toBe(403);
    expect(await problemOf(response)).toMatchObject({
      title: 'forbidden',
      detail: `This request needs the role '${route.role}'.`,
    });
  });
});

describe('the stream of a run’s events', () => {
  const accept = { accept: 'text/event-stream' };

  it('is guarded as the list is', async () => {
    expect((await ask(ROUTES.listRunEvents, accept)).status).toBe(401);
    const predictor = { ...accept, authorization: 'Bearer predictor' };
    expect((await ask(ROUTES.listRunEvents, predictor)).status).toBe(403);
    const viewer = { ...accept, authorization: 'Bearer viewer' };
    expect((await problemOf(await ask(ROUTES.listRunEvents, viewer))).title).toBe('run-not-found');
  });
});

it('says nothing of what is there to who may not know', async () => {
  const response = await test.request('/v1/models/absent', {
    headers: { authorization: 'Bearer predictor' },
  });
  expect((await problemOf(response)).title).toBe('forbidden');
});
