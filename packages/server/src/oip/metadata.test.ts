import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Validator } from '@seriousme/openapi-schema-validator';
import {
  BINARY,
  MIXED,
  MULTICLASS,
  REGRESSION,
  layerArtifact,
  startTensorServer,
  type TensorServer,
} from '../testing/tensor-server.ts';
import { OIP_ROUTES } from './routes.ts';

let server: TensorServer;
beforeAll(async () => {
  server = await startTensorServer({
    late: layerArtifact(MIXED, BINARY),
    classes: layerArtifact(MIXED, MULTICLASS),
    delay: layerArtifact(MIXED, REGRESSION),
  });
});
afterAll(() => server.stop());

type Json = Record<string, unknown>;

async function get(path: string): Promise<[number, Json]> {
  const response = await server.request(path);
  return [response.status, (await response.json()) as Json];
}

async function post(path: string, body: unknown): Promise<[number, Json]> {
  const response = await server.request(path, { method: 'POST', body: JSON.stringify(body) });
  return [response.status, (await response.json()) as Json];
}

describe('health and metadata', () => {
  it('tell that the server lives and is ready', async () => {
    expect(await get('/v2/health/live')).toEqual([200, { live: true }]);
    expect(await get('/v2/health/ready')).toEqual([200, { live: true, ready: true }]);
  });

  it.each(['/v2', '/v2/'])('tell of the server under %s', async (path) => {
    expect(await get(path)).toEqual([
      200,
      {
        name: 'perennial',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
        extensions: ['binary_tensor_data', 'model_repository'],
      },
    ]);
  });

  it.each(['/v2/models/late', '/v2/models/late/versions/1'])('tell of a model under %s', async (path) => {
    const inputs = [
      { name: 'distance', datatype: 'FP64', shape: [-1, 1] },
      { name: 'weekend', datatype: 'BOOL', shape: [-1, 1] },
      { name: 'origin', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'departure', datatype: 'INT64', shape: [-1, 1] },
    ];
    const outputs = [
      { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
      { name: 'decision', datatype: 'BOOL', shape: [-1, 1] },
    ];
    const expected = { name: 'late', versions: ['1'], platform: 'onnx_onnxv1', inputs, outputs };
    expect(await get(path)).toEqual([200, expected]);
    expect(await get(`${path}/ready`)).toEqual([200, { name: 'late', ready: true }]);
  });

  it('tell of the outputs of each kind of label', async () => {
    const outputs = async (model: string) => (await get(`/v2/models/${model}`))[1]['outputs'];
    expect(await outputs('classes')).toEqual([
      {
        name: 'probabilities',
        datatype: 'FP32',
        shape: [-1, 3],
        parameters: { classes: '["ab","ç","d"]' },
      },
      { name: 'decision', datatype: 'BYTES', shape: [-1, 1] },
    ]);
    expect(await outputs('delay')).toEqual([{ name: 'value', datatype: 'FP32', shape: [-1, 1] }]);
  });

  it('tell of a model that has no version in production, and of none', async () => {
    const [status, body] = await get('/v2/models/unreleased/ready');
    expect([status, body['ready']]).toEqual([503, false]);
    expect(body['error']).toContain('no champion');
    expect(await get('/v2/models/none')).toEqual([404, { error: "There is no model 'none'." }]);
    expect((await get('/v2/models/none/ready'))[0]).toBe(404);
    expect((await get('/v2/models/unreleased'))[0]).toBe(409);
  });

  it('tell what is not there in the protocol’s way', async () => {
    for (const path of ['/v2/models/late/stats', '/v2/systemsharedmemory/status', '/v2/nothing']) {
      const [status, body] = await get(path);
      expect([status, Object.keys(body)]).toEqual([404, ['error']]);
    }
    expect((await get('/v2/models/late/infer'))[0]).toBe(404);
  });
});

describe('the model repository', () => {
  const index = async (body: unknown = {}) => (await post('/v2/repository/index', body))[1];

  it('loads and unloads what is in production, and tells which is', async () => {
    expect((await post('/v2/repository/models/delay/load', {}))[0]).toBe(200);
    expect(await index()).toContainEqual({ name: 'delay', version: '1', state: 'READY', reason: '' });
    const unload = { parameters: { unload_dependents: false } };
    expect(await post('/v2/repository/models/delay/unload', unload)).toEqual([200, {}]);
    expect(await index()).toContainEqual({
      name: 'delay',
      version: '1',
      state: 'UNAVAILABLE',
      reason: 'It is not loaded: the next request loads it.',
    });
    expect(JSON.stringify(await index({ ready: true }))).not.toContain('delay');
    const inputs = [
      { name: 'distance', datatype: 'FP64', shape: [1], data: [1] },
      { name: 'weekend', datatype: 'BOOL', shape: [1], data: [true] },
      { name: 'origin', datatype: 'BYTES', shape: [1], data: ['a'] },
      { name: 'departure', datatype: 'INT64', shape: [1], data: [0] },
    ];
    expect((await post('/v2/models/delay/infer', { inputs }))[0]).toBe(200);
    expect(await index({ ready: true })).toContainEqual(expect.objectContaining({ name: 'delay' }));
  });

  it('says why a model is not there', async () => {
    expect(await index()).toContainEqual({
      name: 'unreleased',
      state: 'UNAVAILABLE',
      reason: "The model 'unreleased' has no champion: no version of it is in production.",
    });
    expect((await post('/v2/repository/models/none/load', {}))[0]).toBe(404);
    expect((await post('/v2/repository/models/none/unload', {}))[0]).toBe(404);
    const [status, { error }] = await post('/v2/repository/models/delay/load', {
      parameters: { config: '{}' },
    });
    expect([status, error]).toEqual([400, expect.stringContaining("The parameter 'config' is not taken")]);
  });
});

describe('the document of the protocol', () => {
  it('is valid OpenAPI 3.0 and has every route', async () => {
    const [, document] = await get('/v2/openapi.json');
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(document['openapi']).toBe('3.0.3');
    const described = Object.entries(document['paths'] as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = Object.values(OIP_ROUTES).map(({ method, path }) => `${method} ${path}`);
    expect(described.sort()).toEqual(routes.sort());
  });
});
