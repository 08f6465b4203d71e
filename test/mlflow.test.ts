import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type Client } from '@perennial/client';
import type { TokenRequest } from '@perennial/contract';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';

/** A Python with MLflow's client: PERENNIAL_TEST_PYTHON, or the one on the path. */
const python = process.env['PERENNIAL_TEST_PYTHON'] ?? 'python3';
const FIND = 'import sys; from importlib.util import find_spec; sys.exit(find_spec("mlflow") is None)';
const hasMlflow = spawnSync(python, ['-c', FIND]).status === 0;

/** What every program begins with: `client`, `use(token)`, and `refused(work)`, which gives the error's code and message. */
const PRELUDE = `
import json, os, urllib.request
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

url = os.environ['URL']
client = MlflowClient(tracking_uri=url, registry_uri=url)

def use(token):
    os.environ['MLFLOW_TRACKING_TOKEN'] = token

def refused(work):
    try:
        work()
        return 'done'
    except MlflowException as error:
        return [error.error_code, error.message]

def answer(value):
    print(json.dumps(value))
`;

/** The same model under other names of its nodes: another file. */
const otherFile = () =>
  goodFile((_model, graph) => graph.node.forEach((node) => (node.name = `second_${node.name}`)));

const ADMIN = 'the-admin-token-of-this-test';

let test: TestPlatform;
let admin: Client;
beforeAll(async () => {
  test = await startTestPlatform({ files: {}, config: { adminToken: ADMIN } });
  admin = createClient({ baseUrl: test.platform.url, token: ADMIN });
  for (const [model, file] of [
    ['churn', goodFile()],
    ['churn', otherFile()],
    ['fraud', goodFile()],
  ] as const) {
    const body = { file: Buffer.from(file).toString('base64'), sample: GOOD_SAMPLE, output: GOOD_OUTPUT };
    await admin.importVersion({ params: { model }, body });
  }
});
afterAll(() => test.stop());

async function token(request: TokenRequest): Promise<string> {
  return (await admin.createToken({ body: request })).secret;
}

/** Runs a program with MLflow's own client and a token, and gives what it answered. */
async function ask(program: string, secret: string): Promise<unknown> {
  const env = {
    PATH: process.env['PATH'],
    URL: test.platform.url,
    MLFLOW_TRACKING_TOKEN: secret,
    MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
    MLFLOW_DISABLE_TELEMETRY: 'true',
  };
  const { stdout } = await promisify(execFile)(python, ['-c', PRELUDE + program], { env });
  return JSON.parse(stdout) as unknown;
}

describe.skipIf(!hasMlflow)('MLflow’s own client, in Python', () => {
  it('lists models, reads versions, and tags and describes them', async () => {
    const secret = await token({ name: 'notebook', roles: ['operator'] });
    const program = `
client.set_registered_model_tag('churn', 'team', 'growth')
client.update_registered_model('churn', description='Who leaves')
client.set_model_version_tag('churn', '1', 'state', 'tried')
client.set_model_version_tag('churn', '1', 'gone', 'x')
client.delete_model_version_tag('churn', '1', 'gone')
client.update_model_version('churn', '1', description='The first')
model = client.get_registered_model('churn')
version = client.get_model_version('churn', '1')
answer({
    'models': [one.name for one in client.search_registered_models()],
    'found': [one.name for one in client.search_registered_models("name LIKE 'chu%' AND tags.team = 'growth'")],
    'first page': [one.name for one in client.search_registered_models(max_results=1, order_by=['name DESC'])],
    'versions': [one.version for one in client.search_model_versions("name = 'churn'")],
    'latest': [one.version for one in client.get_latest_versions('churn')],
    'model': [model.description, model.tags],
    'version': [version.description, version.tags, version.current_stage, version.status, version.user_id],
    'times': version.creation_timestamp,
})`;
    expect(await ask(program, secret)).toEqual({
      models: ['churn', 'fraud'],
      found: ['churn'],
      'first page': ['fraud'],
      versions: ['2', '1'],
      latest: ['2'],
      model: ['Who leaves', { team: 'growth' }],
      version: ['The first', { state: 'tried' }, 'None', 'READY', 'token:admin'],
      times: Date.parse('2024-03-11T03:00:00Z'),
    });
  });

  it('moves aliases, the champion only as far as a release may, and fetches the artifact', async () => {
    const secret = await token({ name: 'deployer', roles: ['operator'] });
    const program = `
client.set_registered_model_alias('churn', 'challenger', '2')
challenger = client.get_model_version_by_alias('churn', 'challenger').version
client.delete_registered_model_alias('churn', 'challenger')
client.set_registered_model_alias('churn', 'champion', '1')
champion = client.get_model_version_by_alias('churn', 'champion')
request = urllib.request.Request(client.get_model_version_download_uri('churn', '1'))
request.add_header('Authorization', 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN'])
import hashlib
with urllib.request.urlopen(request) as response:
    digest = hashlib.sha256(response.read()).hexdigest()
answer({
    'challenger': challenger,
    'removed': refused(lambda: client.get_model_version_by_alias('churn', 'challenger'))[0],
    'champion': [champion.version, list(champion.aliases)],
    'second': refused(lambda: client.set_registered_model_alias('churn', 'champion', '2')),
    'digest': digest,
})`;
    const answered = (await ask(program, secret)) as Record<string, unknown>;
    const { artifact } = await admin.getVersion({ params: { model: 'churn', version: 1 } });
    expect(answered).toEqual({
      challenger: '2',
      removed: 'RESOURCE_DOES_NOT_EXIST',
      champion: ['1', ['champion']],
      second: ['PERMISSION_DENIED', expect.stringContaining('perennial release request churn@2')],
      digest: artifact.slice('sha256:'.length),
    });
    const { items } = await admin.listReleases({ query: { model: 'churn' } });
    expect(items).toMatchObject([{ version: 1, state: 'live', requestedBy: 'token:deployer' }]);
    const { items: moves } = await admin.listAliasMoves({
      params: { model: 'churn', alias: 'challenger' },
      query: {},
    });
    expect(moves.map(({ version, by }) => [version, by])).toEqual([
      [null, 'token:deployer'],
      [2, 'token:deployer'],
    ]);
  });

  it('is refused what its token may not, and what there is not', async () => {
    const secret = await token({ name: 'reader of fraud', roles: ['viewer'], models: ['fraud'] });
    const program = `
answers = {
    'models': [one.name for one in client.search_registered_models()],
    'versions': [one.name for one in client.search_model_versions()],
    'own': client.get_registered_model('fraud').name,
    'foreign': refused(lambda: client.get_registered_model('churn'))[0],
    'alias': refused(lambda: client.set_registered_model_alias('fraud', 'challenger', '1'))[0],
    'tag': refused(lambda: client.set_registered_model_tag('fraud', 'a', 'b'))[0],
    'filter': refused(lambda: client.search_model_versions("stage = 'x'"))[0],
}
use('${ADMIN}')
answers['not there'] = [refused(work)[0] for work in [
    lambda: client.create_registered_model('churn'),
    lambda: client.create_registered_model('new'),
    lambda: client.rename_registered_model('churn', 'other'),
    lambda: client.delete_registered_model('churn'),
    lambda: client.delete_model_version('churn', '1'),
    lambda: client.transition_model_version_stage('churn', '1', 'Production'),
    lambda: client.get_model_version('churn', '9'),
]]
use('perennial_wrong')
answers['nobody'] = refused(lambda: client.get_registered_model('fraud'))[0]
answer(answers)`;
    expect(await ask(program, secret)).toEqual({
      models: ['fraud'],
      versions: ['fraud'],
      own: 'fraud',
      foreign: 'PERMISSION_DENIED',
      alias: 'PERMISSION_DENIED',
      tag: 'PERMISSION_DENIED',
      filter: 'INVALID_PARAMETER_VALUE',
      'not there': [
        'RESOURCE_ALREADY_EXISTS',
        ...Array.from({ length: 5 }, () => 'FEATURE_DISABLED'),
        'RESOURCE_DOES_NOT_EXIST',
      ],
      nobody: 'UNAUTHENTICATED',
    });
  });
});

describe('an artifact', () => {
  it('is fetched with its digest, and its digest alone by who asks for JSON', async () => {
    const headers = { authorization: `Bearer ${ADMIN}` };
    const path = '/v1/models/fraud/versions/1/artifact';
    const { artifact, artifactBytes } = await admin.getVersion({ params: { model: 'fraud', version: 1 } });
    const response = await test.request(path, { headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    const digest = createHash('sha256').update(bytes);
    expect(response.headers.get('repr-digest')).toBe(`sha-256=:${digest.copy().digest('base64')}:`);
    expect(`sha256:${digest.digest('hex')}`).toBe(artifact);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(await admin.getArtifact({ params: { model: 'fraud', version: 1 } })).toEqual({
      artifact,
      bytes: artifactBytes,
    });
    expect((await test.request(path)).status).toBe(401);
  });
});
