import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ROUTES,
  allows,
  roleSchema,
  type CreatedToken,
  type Page,
  type Problem,
  type Role,
  type Route,
  type TokenRequest,
} from '@perennial/contract';
import { insertToken, transaction } from '@perennial/storage';
import { OPENID_ROUTES } from '../access/openid-routes.ts';
import { hashSecret, newTokenSecret } from '../access/token-secret.ts';
import { MLFLOW_ROUTES } from '../mlflow/routes.ts';
import { OIP_ROUTES } from '../oip/routes.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

type Guarded = Pick<Route, 'method' | 'path' | 'role' | 'scope'> & { query?: Route['query'] };

/** Every route of every table: who may call it is checked for each, also for one that is added tomorrow. */
const routes: [string, Guarded][] = [
  ...Object.entries<Route>(ROUTES),
  ...Object.entries(MLFLOW_ROUTES),
  ...Object.entries(OPENID_ROUTES),
  ...Object.entries(OIP_ROUTES),
];

const ADMIN = 'the-configured-admin-token';
const roles = roleSchema.options;
const tokens = new Map<string, string>();
let test: TestPlatform;

beforeAll(async () => {
  const variables = { PERENNIAL_ADMIN_TOKEN: ADMIN, PERENNIAL_TRUSTED_PROXIES: '1' };
  test = await startTestPlatform({ variables });
  for (const role of roles) await create(`any ${role}`, { roles: [role] });
  for (const role of roles) await create(`foreign ${role}`, { roles: [role], models: ['another-model'] });
  for (const role of roles) await create(`own ${role}`, { roles: [role], models: ['absent'] });
  const { id } = await create('revoked', { roles: ['admin'] });
  await test.request(`/v1/tokens/${id}`, { method: 'DELETE', headers: bearer(ADMIN) });
  await createExpired();
});
afterAll(() => test.stop());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function create(name: string, request: Omit<TokenRequest, 'name'>): Promise<CreatedToken> {
  const response = await test.request('/v1/tokens', {
    method: 'POST',
    headers: { ...bearer(ADMIN), 'content-type': 'application/json' },
    body: JSON.stringify({ name, ...request }),
  });
  expect(response.status).toBe(201);
  const token = (await response.json()) as CreatedToken;
  tokens.set(name, token.secret);
  return token;
}

/** One that was good until a second ago. */
async function createExpired(): Promise<void> {
  const expiresAt = new Date(test.clock.now().getTime() + 1_000).toISOString();
  await create('expired', { roles: ['admin'], expiresAt });
  test.clock.advance(1_000);
}

const UUID = '0190b0a4-0000-7000-8000-000000000000';
const SAMPLES: Record<string, string> = {
  run: `run_${UUID}`,
  release: `rel_${UUID}`,
  prediction: `pred_${UUID}`,
  asyncPrediction: `async_${UUID}`,
  alert: `alert_${UUID}`,
  batch: `batch_${UUID}`,
  backfill: `back_${UUID}`,
  reproduction: `repro_${UUID}`,
  precomputation: `pre_${UUID}`,
  webhook: `hook_${UUID}`,
  delivery: `dlv_${UUID}`,
  token: `tok_${UUID}`,
  dataset: `sha256:${'0'.repeat(64)}`,
  digest: `sha256:${'0'.repeat(64)}`,
  version: '1',
};

/** What the routes of the tables ask for in their queries. */
const QUERY = { model: 'absent', pipeline: 'absent', a: '1', b: '2', key: 'k' };

/** MLflow's routes take more than they need, so one request fits them all. */
const MLFLOW = { name: 'absent', version: '1', key: 'k', value: 'v', alias: 'challenger' };

const FACTS = { items: [{ model: 'absent', key: 'k', label: true }] };

function addressOf({ path, query, method }: Guarded): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => SAMPLES[name] ?? 'absent');
  if (path.startsWith('/api/'))
    return method === 'GET' ? `${filled}?${new URLSearchParams(MLFLOW).toString()}` : filled;
  const given = Object.entries(QUERY).filter(([name]) => query && name in query.shape);
  return `${filled}?${new URLSearchParams(given).toString()}`;
}

function bodyOf({ path, method, scope }: Guarded): RequestInit {
  if (method === 'GET') return {};
  const body = path.startsWith('/api/') ? MLFLOW : scope === 'body' ? FACTS : {};
  return { body: JSON.stringify(body) };
}

let asked = 0;

/** Each from an address of its own, as one that shows many wrong tokens is told to wait. */
async function ask(route: Guarded, headers: Record<string, string>): Promise<Response> {
  const address = `10.0.${asked >> 8}.${asked++ & 255}`;
  return test.request(addressOf(route), {
    method: route.method,
    headers: { ...headers, 'content-type': 'application/json', 'x-forwarded-for': address },
    ...bodyOf(route),
  });
}
const as = (name: string) => bearer(tokens.get(name) ?? 'nobody');
const problemOf = async (response: Response) => (await response.json()) as Problem;

function expectLetIn(response: Response): void {
  expect([401, 403, 405, 500]).not.toContain(response.status);
}

const guarded = routes.filter(([, { role }]) => role !== 'public');

describe.each(guarded)('%s', (_, route) => {
  const needed = route.role as Role;
  const permitted = roles.filter((role) => allows([role], needed));
  const refused = roles.filter((role) => !permitted.includes(role));

  it('is for nobody without a name', async () => {
    const response = await ask(route, {});
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each(['revoked', 'expired', 'unknown'])('is not for whoever has a token that is %s', async (token) => {
    expect((await ask(route, as(token))).status).toBe(401);
  });

  it.each(permitted)('is for a caller who is %s', async (role) => {
    expectLetIn(await ask(route, as(`any ${role}`)));
  });

  it.each(refused)('is not for a caller who is only %s, of whichever models', async (role) => {
    for (const name of [`any ${role}`, `own ${role}`, `foreign ${role}`])
      expect((await ask(route, as(name))).status).toBe(403);
  });

  it.each(permitted)('holds a caller who is %s to its models', async (role) => {
    const foreign = await ask(route, as(`foreign ${role}`));
    const own = await ask(route, as(`own ${role}`));
    // Things that are not there are nobody's, and told apart from another's for none who is held to models.
    const ownMayAsk = ['any', 'model', 'list', 'body'].includes(route.scope);
    const foreignMayAsk = route.scope === 'any' || isUnfilteredList(route);
    if (ownMayAsk) expectLetIn(own);
    else expect(own.status).toBe(403);
    if (foreignMayAsk) expectLetIn(foreign);
    else expect(foreign.status).toBe(403);
  });
});

/** Lists that cannot be asked for one model's: who is held to models finds its own there, and nothing else. */
function isUnfilteredList({ scope, query, path }: Guarded): boolean {
  if (scope !== 'list') return false;
  return path.startsWith('/api/') || !(query && ('model' in query.shape || 'pipeline' in query.shape));
}

/** Health says no more than that: whether the server lives, and whether it is ready. */
const health = routes.filter(([, { path }]) => path.startsWith('/v2/health/'));

describe.each(health)('%s', (_, route) => {
  it('is for everybody, and says nothing but that', async () => {
    const response = await ask(route, {});
    expect(response.status).toBe(200);
    for (const value of Object.values((await response.json()) as object)) expect(value).toBe(true);
  });
});

const open = routes.filter((one) => one[1].role === 'public' && !health.includes(one));

describe.each(open)('%s', (_, route) => {
  it('is for everybody, and says nothing without a secret of its own', async () => {
    const response = await ask(route, {});
    expect([400, 401, 404]).toContain(response.status);
  });
});

describe('the stream of a run’s events', () => {
  const accept = { accept: 'text/event-stream' };

  it('is guarded as the list is', async () => {
    expect((await ask(ROUTES.listRunEvents, accept)).status).toBe(401);
    for (const name of ['any predictor', 'foreign viewer', 'own viewer'])
      expect((await ask(ROUTES.listRunEvents, { ...accept, ...as(name) })).status).toBe(403);
    const viewer = await ask(ROUTES.listRunEvents, { ...accept, ...as('any viewer') });
    expect((await problemOf(viewer)).title).toBe('run-not-found');
  });
});

it('what is refused for a role names the role', async () => {
  const response = await ask(ROUTES.createToken, as('any operator'));
  expect(await problemOf(response)).toMatchObject({
    title: 'forbidden',
    detail: "This request needs the role 'admin'.",
  });
});

it('says nothing of what is there to who may not know', async () => {
  const response = await test.request('/v1/models/absent', { headers: as('any predictor') });
  expect((await problemOf(response)).title).toBe('forbidden');
});

describe('a token that the database had before this server looked', () => {
  it('is let in at once', async () => {
    const secret = newTokenSecret();
    await transaction(test.database, (tx) =>
      insertToken(tx, {
        id: UUID,
        name: 'made elsewhere',
        hash: hashSecret(secret),
        roles: ['viewer'],
        models: null,
        requestsPerMinute: null,
        createdBy: 'token:admin',
        createdAt: test.clock.now(),
        expiresAt: null,
      }),
    );
    await expect
      .poll(async () => (await test.request('/v1/runs', { headers: bearer(secret) })).status)
      .toBe(200);
    const response = await test.request('/v1/tokens?limit=1', { headers: bearer(ADMIN) });
    const { items } = (await response.json()) as Page<{ name: string }>;
    expect(items).toHaveLength(1);
  });
});
