import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type Client } from '@perennial/client';
import type { TokenRequest } from '@perennial/contract';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';

/** A Python with Triton's HTTP client: PERENNIAL_TEST_PYTHON, or the one on the path. */
const python = process.env['PERENNIAL_TEST_PYTHON'] ?? 'python3';
const FIND =
  'import sys; from importlib.util import find_spec; sys.exit(any(find_spec(one) is None for one in ("tritonclient", "geventhttpclient", "numpy")))';
const hasTriton = spawnSync(python, ['-c', FIND]).status === 0;

/** What every program begins with: `client`, `ask(...)` for the two columns of the model, and `refused(work)`, which gives the error's status and message. */
const PRELUDE = `
import json, os
import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(os.environ['HOST'])
headers = {'Authorization': 'Bearer ' + os.environ['TOKEN']}

def tensors(columns, binary=True):
    inputs = []
    for name, values in columns.items():
        array = np.array(values)
        datatype = {'float64': 'FP64', 'float32': 'FP32', 'int64': 'INT64', 'object': 'BYTES'}[str(array.dtype)]
        one = triton.InferInput(name, list(array.shape), datatype)
        one.set_data_from_numpy(array, binary_data=binary)
        inputs.append(one)
    return inputs

def infer(columns, binary=True, **options):
    return client.infer('churn', tensors(columns, binary), headers=headers, **options)

def refused(work):
    try:
        work()
        return 'done'
    except InferenceServerException as error:
        return [error.status(), error.message()]

def answer(value):
    print(json.dumps(value))
`;

/** The same model under other names of its nodes: another file. */
const otherFile = () =>
  goodFile((_model, graph) => graph.node.forEach((node) => (node.name = `second_${node.name}`)));

const ADMIN = 'the-admin-token-of-this-test';
const ROWS = [
  { amount: 1, visits: 2 },
  { amount: -0.5, visits: 0.25 },
  { amount: 3, visits: -1 },
];
const COLUMNS = `{'amount': [1.0, -0.5, 3.0], 'visits': [2.0, 0.25, -1.0]}`;

let test: TestPlatform;
let admin: Client;
beforeAll(async () => {
  test = await startTestPlatform({ files: {}, config: { adminToken: ADMIN } });
  admin = createClient({ baseUrl: test.platform.url, token: ADMIN });
  for (const file of [goodFile(), otherFile()]) {
    const body = { file: Buffer.from(file).toString('base64'), sample: GOOD_SAMPLE, output: GOOD_OUTPUT };
    await admin.importVersion({ params: { model: 'churn' }, body });
  }
  const response = await test.request('/api/2.0/mlflow/registered-models/alias', {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'churn', alias: 'champion', version: '1' }),
  });
  expect(response.status).toBe(200);
});
afterAll(() => test.stop());

async function token(request: TokenRequest): Promise<string> {
  return (await admin.createToken({ body: request })).secret;
}

/** Runs a program with Triton's own client and a token, and gives what it answered. */
async function ask(program: string, secret: string): Promise<Record<string, unknown>> {
  const env = { PATH: process.env['PATH'], HOST: new URL(test.platform.url).host, TOKEN: secret };
  const { stdout } = await promisify(execFile)(python, ['-c', PRELUDE + program], { env });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe.skipIf(!hasTriton)('Triton’s own client, in Python', () => {
  it('predicts with bytes and with JSON, and what it is answered is what rows are', async () => {
    const secret = await token({ name: 'app', roles: ['predictor'] });
    const program = `
by_bytes = infer(${COLUMNS}, request_id='r1')
by_json = infer(${COLUMNS}, False, outputs=[triton.InferRequestedOutput('probability', binary_data=False)])
by_version = infer(${COLUMNS}, model_version='1')
keyed = infer({**${COLUMNS}, 'perennial.key': np.array([b'a', b'b', b'c'], dtype=object)},
    outputs=[triton.InferRequestedOutput('perennial.prediction_id')])
metadata = client.get_model_metadata('churn', headers=headers)
answer({
    'live': [client.is_server_live(), client.is_server_ready()],
    'ready': [client.is_model_ready('churn', headers=headers), client.is_model_ready('churn', '1', headers=headers)],
    'not ready': [client.is_model_ready('none', headers=headers), client.is_model_ready('churn', '2', headers=headers)],
    'server': client.get_server_metadata(headers=headers)['name'],
    'inputs': [one['name'] for one in metadata['inputs']],
    'versions': metadata['versions'],
    'response': [by_bytes.get_response()[name] for name in ('model_name', 'model_version', 'id')],
    'probability': by_bytes.as_numpy('probability').flatten().tolist(),
    'decision': by_bytes.as_numpy('decision').flatten().tolist(),
    'json': by_json.as_numpy('probability').flatten().tolist(),
    'version': by_version.as_numpy('probability').flatten().tolist(),
    'ids': [one.decode() for one in keyed.as_numpy('perennial.prediction_id').flatten()],
    'first': keyed.get_response()['parameters']['perennial.prediction_id'],
})`;
    const answered = await ask(program, secret);
    const { predictions } = await admin.predict({ params: { model: 'churn' }, body: { instances: ROWS } });
    const outputs = predictions.map(({ output }) => output as { probability: number; decision: boolean });
    const probabilities = outputs.map(({ probability }) => probability);
    const ids = answered['ids'] as string[];
    expect(answered).toEqual({
      live: [true, true],
      ready: [true, true],
      'not ready': [false, false],
      server: 'perennial',
      inputs: ['amount', 'visits'],
      versions: ['1'],
      response: ['churn', '1', 'r1'],
      probability: probabilities,
      decision: outputs.map(({ decision }) => decision),
      json: probabilities,
      version: probabilities,
      ids,
      first: ids[0],
    });
    const second = await admin.getPrediction({ params: { prediction: ids[1] ?? '' } });
    expect(second).toMatchObject({ key: 'b', features: ROWS[1], output: outputs[1], mode: 'live' });
    await admin.postGroundTruth({ body: { items: [{ prediction: ids[2] ?? '', label: true }] } });
  });

  it('is told what is wrong', async () => {
    const secret = await token({ name: 'other app', roles: ['predictor'], models: ['churn'] });
    const program = `
answer({
    'shape': refused(lambda: infer({'amount': [1.0], 'visits': [1.0, 2.0]})),
    'missing': refused(lambda: infer({'amount': [1.0]})),
    'text': refused(lambda: infer({'amount': np.array([b'1'], dtype=object), 'visits': [1.0]})),
    'output': refused(lambda: infer(${COLUMNS}, outputs=[triton.InferRequestedOutput('score')])),
    'unapproved': refused(lambda: infer(${COLUMNS}, model_version='2')),
    'no version': refused(lambda: infer(${COLUMNS}, model_version='9'))[0],
    'foreign': refused(lambda: client.get_model_metadata('none', headers=headers))[0],
    'nobody': refused(lambda: client.get_model_metadata('churn'))[0],
    'load': refused(lambda: client.load_model('churn', headers=headers))[0],
    'statistics': refused(lambda: client.get_inference_statistics('churn', headers=headers))[0],
})`;
    expect(await ask(program, secret)).toEqual({
      shape: ['400', "The tensor 'visits' has 2 rows where those before it have 1."],
      missing: ['400', expect.stringContaining("The tensor 'visits' is missing")],
      text: ['400', expect.stringContaining("The tensor 'amount' is a number")],
      output: ['400', expect.stringContaining("The model has no output 'score'")],
      unapproved: ['409', "Version 2 of 'churn' is not served: it was never approved."],
      'no version': '404',
      foreign: '403',
      nobody: '401',
      load: '403',
      statistics: '404',
    });
  });

  it('loads and unloads as an operator', async () => {
    const secret = await token({ name: 'platform team', roles: ['operator'] });
    const program = `
def index():
    return [[one['name'], one.get('version'), one['state']] for one in client.get_model_repository_index(headers=headers)]
client.load_model('churn', headers=headers)
before = index()
client.unload_model('churn', headers=headers)
after = index()
infer(${COLUMNS})
answer({
    'before': before,
    'after': after,
    'again': index(),
    'config': refused(lambda: client.load_model('churn', headers=headers, config='{}'))[0],
})`;
    expect(await ask(program, secret)).toEqual({
      before: [['churn', '1', 'READY']],
      after: [['churn', '1', expect.stringMatching(/^(UNAVAILABLE|UNLOADING)$/)]],
      again: [['churn', '1', 'READY']],
      config: '400',
    });
  });
});
