import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, roleSchema, type AuditEntry, type Page } from '@perennial/contract';
import { registerCandidate } from '@perennial/registry';
import { makeCandidate, seed, testSigning } from '@perennial/registry/testing';
import { transaction } from '@perennial/storage';
import { UnauthenticatedError } from '../errors.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { mlflowVersionSchema } from './entities.ts';
import { MLFLOW_ROUTES, type MlflowRouteName } from './routes.ts';

const required = { approval: 'required', approvers: 2, expires: '7d' } as const;

let test: TestPlatform;
beforeAll(async () => {
  // Who asks as `Bearer operator other` is an operator, held to the model `other`.
  test = await startTestPlatform({
    authenticate: ({ authorization = '' }) => {
      const [role, model] = authorization.replace('Bearer ', '').split(' ');
      const known = roleSchema.safeParse(role);
      if (!known.success) throw new UnauthenticatedError();
      return {
        name: `token:${known.data}`,
        roles: [known.data],
        models: model === undefined ? null : [model],
      };
    },
  });
  const { database, clock } = test;
  const ids = new IdGenerator(clock);
  const { signer } = testSigning();
  await seed(database);
  for (const given of [
    { verdict: 'no-baseline', against: null },
    { verdict: 'pass', against: 1, release: required },
    { verdict: 'fail', against: 1 },
  ] as const) {
    const candidate = await makeCandidate({ database, ids, ...given });
    await transaction(database, (tx) => registerCandidate(tx, candidate, { clock, ids, signer }));
  }
});
afterAll(() => test.stop());

type Json = Record<string, unknown>;

async function ask(
  name: MlflowRouteName,
  given: Json,
  as = 'admin',
): Promise<{ status: number; body: Json }> {
  const { method, path } = MLFLOW_ROUTES[name];
  const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json' };
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(given))
    for (const one of Array.isArray(value) ? value : [value]) query.append(key, String(one));
  const response = await (method === 'GET'
    ? test.request(`${path}?${query.toString()}`, { headers })
    : test.request(path, { method, headers, body: JSON.stringify(given) }));
  return { status: response.status, body: (await response.json()) as Json };
}

async function refusal(name: MlflowRouteName, given: Json, as?: string) {
  const { status, body } = await ask(name, given, as);
  return [status, body['error_code'], body['message']];
}

const churn = { name: 'churn' };
const first = { ...churn, version: '1' };

describe('models and versions', () => {
  it('are shown in MLflow’s form', async () => {
    const { status, body } = await ask('getRegisteredModel', churn);
    expect(status).toBe(200);
    const at = Date.parse('2024-03-11T03:00:00Z');
    expect(body['registered_model']).toMatchObject({
      name: 'churn',
      creation_timestamp: at,
      last_updated_timestamp: at,
      aliases: [{ alias: 'champion', version: '1' }],
      latest_versions: [{ version: '3', current_stage: 'None', status: 'READY', aliases: [] }],
    });
    const { body: answered } = await ask('getModelVersion', first);
    const version = mlflowVersionSchema.parse(answered['model_version']);
    expect(version).toMatchObject({ version: '1', user_id: 'pipeline:churn', aliases: ['champion'] });
    expect(version.run_id).toMatch(/^run_/);
    expect(version.source).toBe('http://localhost/v1/models/churn/versions/1/artifact');
    expect((await ask('getDownloadUri', first)).body).toEqual({ artifact_uri: version.source });
    expect((await ask('getModelVersionByAlias', { ...churn, alias: 'champion' })).body).toEqual(answered);
  });

  it('are found by filters, in pages', async () => {
    const search = async (given: Json, as?: string) => {
      const { body } = await ask('searchModelVersions', given, as);
      return { ...body, found: (body['model_versions'] as Json[]).map(({ version }) => version) };
    };
    const page: Json & { found: unknown[] } = await search({ filter: "name = 'churn'", max_results: 2 });
    expect(page.found).toEqual(['3', '2']);
    const token = page['next_page_token'];
    expect((await search({ filter: "name='churn'", max_results: 2, page_token: token })).found).toEqual([
      '1',
    ]);
    const order_by = ['version_number ASC', 'name DESC'];
    expect((await search({ filter: 'version_number > 1', order_by })).found).toEqual(['2', '3']);
    expect((await search({}, 'viewer other')).found).toEqual([]);
    expect((await search({}, 'viewer churn')).found).toHaveLength(3);
    const models = async (filter: string, as?: string) =>
      ((await ask('searchRegisteredModels', { filter }, as)).body['registered_models'] as Json[]).length;
    expect(await models("tag.`mlflow.prompt.is_prompt` != 'true'")).toBe(1);
    expect(await models("name LIKE 'chu%'", 'viewer')).toBe(1);
    expect(await models("name LIKE 'chu%'", 'viewer other')).toBe(0);
  });

  it('have their newest version in the only stage there is', async () => {
    const latest = async (stages: string[]) =>
      ((await ask('postLatestVersions', { ...churn, stages })).body['model_versions'] as Json[]).length;
    expect([await latest([]), await latest(['None']), await latest(['Production'])]).toEqual([1, 1, 0]);
    expect((await ask('getLatestVersions', { ...churn, stages: 'None' })).status).toBe(200);
  });

  it('are described and tagged, and the audit knows by whom', async () => {
    const changes: [MlflowRouteName, Json][] = [
      ['updateRegisteredModel', { ...churn, description: 'Who leaves' }],
      ['setRegisteredModelTag', { ...churn, key: 'team', value: 'growth' }],
      ['deleteRegisteredModelTag', { ...churn, key: 'team' }],
      ['updateModelVersion', { ...first, description: 'The first' }],
      ['setModelVersionTag', { ...first, key: 'state', value: 'tried' }],
      ['deleteModelVersionTag', { ...first, key: 'state' }],
    ];
    for (const [name, given] of changes) expect((await ask(name, given, 'operator')).status).toBe(200);
    expect((await ask('getModelVersion', first)).body['model_version']).toMatchObject({
      description: 'The first',
    });
    const headers = { authorization: 'Bearer admin' };
    const response = await test.request('/v1/audit?by=token:operator', { headers });
    const { items } = (await response.json()) as Page<AuditEntry>;
    expect(items.map(({ action }) => action).reverse()).toEqual([
      'model.changed',
      'model.tagged',
      'model.untagged',
      'version.changed',
      'version.tagged',
      'version.untagged',
    ]);
    expect(items.every(({ origin }) => origin.startsWith('in-process '))).toBe(true);
  });
});

describe('aliases', () => {
  it('other than champion are moved and removed', async () => {
    const challenger = { ...churn, alias: 'challenger' };
    expect(await ask('setRegisteredModelAlias', { ...challenger, version: '2' }, 'operator')).toEqual({
      status: 200,
      body: {},
    });
    const { body } = await ask('getModelVersionByAlias', challenger, 'viewer');
    expect(body['model_version']).toMatchObject({ version: '2', aliases: ['challenger'] });
    for (let time = 1; time <= 2; time++)
      expect((await ask('deleteRegisteredModelAlias', challenger, 'operator')).status).toBe(200);
    expect((await refusal('getModelVersionByAlias', challenger)).slice(0, 2)).toEqual([
      404,
      'RESOURCE_DOES_NOT_EXIST',
    ]);
  });

  it('of the champion move only as far as a release may', async () => {
    const to = (version: string) => ({ ...churn, alias: 'champion', version });
    expect((await ask('setRegisteredModelAlias', to('1'), 'operator')).status).toBe(200);
    expect(await refusal('setRegisteredModelAlias', to('2'), 'operator')).toEqual([
      403,
      'PERMISSION_DENIED',
      expect.stringContaining('role approver'),
    ]);
    expect(await refusal('setRegisteredModelAlias', to('2'))).toEqual([
      403,
      'PERMISSION_DENIED',
      expect.stringContaining('takes 2 approvals and has 0'),
    ]);
    expect(await refusal('setRegisteredModelAlias', to('3'))).toEqual([
      403,
      'PERMISSION_DENIED',
      expect.stringContaining('was not let through by its gate'),
    ]);
    expect(await refusal('deleteRegisteredModelAlias', { ...churn, alias: 'champion' })).toEqual([
      400,
      'INVALID_PARAMETER_VALUE',
      expect.stringContaining('perennial rollback churn'),
    ]);
  });
});

describe('what is refused', () => {
  it.each<[MlflowRouteName, Json, number, string, string]>([
    ['getRegisteredModel', { name: 'absent' }, 404, 'RESOURCE_DOES_NOT_EXIST', `There is no model 'absent'.`],
    ['getRegisteredModel', { name: '../etc' }, 400, 'INVALID_PARAMETER_VALUE', 'lower-case letters'],
    ['getRegisteredModel', {}, 400, 'INVALID_PARAMETER_VALUE', 'name'],
    ['getModelVersion', { ...churn, version: '9' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'churn@9'],
    ['getModelVersion', { ...churn, version: 'latest' }, 400, 'INVALID_PARAMETER_VALUE', 'version'],
    ['searchModelVersions', { filter: 'nonsense' }, 400, 'INVALID_PARAMETER_VALUE', `'version_number'`],
    ['searchModelVersions', { page_token: 'x' }, 400, 'INVALID_PARAMETER_VALUE', 'page token'],
    ['searchModelVersions', { max_results: 0 }, 400, 'INVALID_PARAMETER_VALUE', 'at least 1'],
    [
      'searchRegisteredModels',
      { order_by: 'stage' },
      400,
      'INVALID_PARAMETER_VALUE',
      'last_updated_timestamp',
    ],
    ['deleteModelVersionTag', { ...first, key: 'absent' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'tag'],
    ['createRegisteredModel', churn, 400, 'RESOURCE_ALREADY_EXISTS', `'churn' already exists`],
    ['createRegisteredModel', { name: 'new' }, 501, 'FEATURE_DISABLED', 'by its first version'],
    ['renameRegisteredModel', { ...churn, new_name: 'x' }, 501, 'FEATURE_DISABLED', 'on record'],
    ['deleteRegisteredModel', churn, 501, 'FEATURE_DISABLED', 'retention'],
    ['createModelVersion', { ...churn, source: 's3://x' }, 501, 'FEATURE_DISABLED', 'perennial register'],
    ['deleteModelVersion', first, 501, 'FEATURE_DISABLED', 'immutable'],
    ['transitionStage', { ...first, stage: 'Production' }, 501, 'FEATURE_DISABLED', 'alias'],
  ])('%s %j', async (...[name, given, status, code, message]) => {
    expect(await refusal(name, given)).toEqual([status, code, expect.stringContaining(message)]);
  });

  it('is what the role or the token’s models do not reach', async () => {
    expect((await refusal('getRegisteredModel', churn, 'nobody')).slice(0, 2)).toEqual([
      401,
      'UNAUTHENTICATED',
    ]);
    const tag = { ...churn, key: 'a', value: '' };
    expect((await refusal('setRegisteredModelTag', tag, 'viewer')).slice(0, 2)).toEqual([
      403,
      'PERMISSION_DENIED',
    ]);
    for (const name of ['getRegisteredModel', 'getLatestVersions'] as const)
      expect((await refusal(name, churn, 'viewer other')).slice(0, 2)).toEqual([403, 'PERMISSION_DENIED']);
    expect((await ask('getRegisteredModel', churn, 'viewer churn')).status).toBe(200);
  });

  it('is what there is not', async () => {
    const response = await test.request('/api/2.0/mlflow/experiments/search', { method: 'POST' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' });
  });
});
