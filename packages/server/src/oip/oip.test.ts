import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId, parseId } from '@perennial/contract';
import { rowId } from '@perennial/serving';
import {
  BINARY,
  MIXED,
  MULTICLASS,
  REGRESSION,
  binaryBody,
  layerArtifact,
  startTensorServer,
  type TensorServer,
} from '../testing/tensor-server.ts';

/** The id of a row as it stands at the edge, given the first row's. */
const idOfRow = (first: string, row: number) =>
  formatId('prediction', rowId(parseId('prediction', first), row));

let server: TensorServer;
beforeAll(async () => {
  const late = layerArtifact(MIXED, BINARY);
  server = await startTensorServer(
    {
      late,
      classes: layerArtifact(MIXED, MULTICLASS),
      delay: layerArtifact(MIXED, REGRESSION),
      kept: late,
    },
    { kept: ['kept'] },
  );
});
afterAll(() => server.stop());

type Json = Record<string, unknown>;
interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
  data?: unknown[];
  parameters?: { binary_data_size: number };
}
interface Answer extends Json {
  outputs: Tensor[];
  parameters: Record<string, string>;
}

async function post(path: string, body: unknown): Promise<[number, Answer]> {
  const response = await server.request(path, { method: 'POST', body: JSON.stringify(body) });
  return [response.status, (await response.json()) as Answer];
}

async function infer(path: string, body: unknown): Promise<Answer> {
  const [status, answer] = await post(path, body);
  expect(answer['error']).toBeUndefined();
  expect(status).toBe(200);
  return answer;
}

const ROWS = [
  { distance: 1.5, weekend: true, origin: 'ORD', departure: Date.parse('2001-03-04T05:06:07Z') },
  { distance: null, weekend: null, origin: null, departure: null },
  { distance: -2, weekend: false, origin: 'Zürich', departure: -1 },
];

const INPUTS = [
  { name: 'distance', datatype: 'FP64', shape: [3, 1], data: [1.5, null, -2] },
  { name: 'weekend', datatype: 'BOOL', shape: [3], data: [true, null, false] },
  { name: 'origin', datatype: 'BYTES', shape: [3, 1], data: ['ORD', '', 'Zürich'] },
  { name: 'departure', datatype: 'INT64', shape: [3], data: [ROWS[0]?.departure, null, -1] },
];

const MISSING_INT64 = -(2n ** 63n);

function texts(...values: string[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(value));
      return [length, Buffer.from(value)];
    }),
  );
}

const bytesOf = (array: ArrayBufferView<ArrayBuffer>) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** The same rows, as bytes; nothing can be missing in BOOL, so the boolean goes as FP32. */
const TENSORS: [Json, Uint8Array][] = [
  [{ name: 'distance', datatype: 'FP64', shape: [3, 1] }, bytesOf(Float64Array.of(1.5, NaN, -2))],
  [{ name: 'weekend', datatype: 'FP32', shape: [3] }, bytesOf(Float32Array.of(1, NaN, 0))],
  [{ name: 'origin', datatype: 'BYTES', shape: [3] }, texts('ORD', '', 'Zürich')],
  [
    { name: 'departure', datatype: 'INT64', shape: [3, 1] },
    bytesOf(BigInt64Array.of(BigInt(Date.parse('2001-03-04T05:06:07Z')), MISSING_INT64, -1n)),
  ],
];

const binaryRequest = (rest: Json = {}) =>
  binaryBody(
    {
      inputs: TENSORS.map(([about, bytes]) => ({
        ...about,
        parameters: { binary_data_size: bytes.byteLength },
      })),
      ...rest,
    },
    ...TENSORS.map(([, bytes]) => bytes),
  );

async function inferBytes(
  model: string,
  rest: Json = {},
): Promise<{ answer: Answer; tail: Buffer; response: Response }> {
  const response = await server.request(`/v2/models/${model}/infer`, binaryRequest(rest));
  const body = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get('inference-header-content-length') ?? body.length);
  const answer = JSON.parse(body.toString('utf8', 0, length)) as Answer;
  expect(answer['error']).toBeUndefined();
  return { answer, tail: body.subarray(length), response };
}

async function predict(model: string) {
  const response = await server.request(`/v1/models/${model}/predict`, {
    method: 'POST',
    body: JSON.stringify({ instances: ROWS }),
  });
  const { predictions } = (await response.json()) as { predictions: { output: Json }[] };
  return predictions.map(({ output }) => output);
}

describe('an inference in JSON', () => {
  it.each(['/v2/models/late/infer', '/v2/models/late/versions/1/infer'])(
    'is answered under %s as rows are',
    async (path) => {
      const answer = await infer(path, { id: '42', inputs: INPUTS });
      const rows = await predict('late');
      const { 'perennial.prediction_id': id } = answer.parameters;
      expect(id).toMatch(/^pred_[0-9a-f-]{36}$/);
      expect(answer).toEqual({
        model_name: 'late',
        model_version: '1',
        id: '42',
        parameters: { 'perennial.prediction_id': id, 'perennial.mode': 'live' },
        outputs: [
          {
            name: 'probability',
            datatype: 'FP32',
            shape: [3, 1],
            data: rows.map(({ probability }) => probability),
          },
          { name: 'decision', datatype: 'BOOL', shape: [3, 1], data: rows.map(({ decision }) => decision) },
        ],
      });
    },
  );

  it('takes tensors that are nested as their shape is, and answers flat', async () => {
    const nested = INPUTS.map((input) => ({
      ...input,
      shape: [3, 1],
      data: input.data.map((value) => [value]),
    }));
    const [flat, other] = [
      await infer('/v2/models/classes/infer', { inputs: INPUTS }),
      await infer('/v2/models/classes/infer', { inputs: nested }),
    ];
    expect(other.outputs).toEqual(flat.outputs);
    expect(flat.outputs[0]?.shape).toEqual([3, 3]);
    expect(flat.outputs[0]?.data).toEqual(
      (await predict('classes')).flatMap(({ probabilities }) =>
        Object.values(probabilities as Record<string, number>),
      ),
    );
    expect(flat.outputs[1]?.data).toEqual((await predict('classes')).map(({ decision }) => decision));
    expect('id' in flat).toBe(false);
  });

  it('gives the outputs that were asked for, in their order', async () => {
    const outputs = [{ name: 'perennial.prediction_id' }, { name: 'decision' }];
    const answer = await infer('/v2/models/late/infer', { inputs: INPUTS, outputs });
    expect(answer.outputs.map(({ name }) => name)).toEqual(['perennial.prediction_id', 'decision']);
    const first = answer.parameters['perennial.prediction_id'] ?? '';
    expect(answer.outputs[0]).toEqual({
      name: 'perennial.prediction_id',
      datatype: 'BYTES',
      shape: [3, 1],
      data: [0, 1, 2].map((row) => idOfRow(first, row)),
    });
    const all = await infer('/v2/models/late/infer', { inputs: INPUTS, outputs: [] });
    expect(all.outputs.map(({ name }) => name)).toEqual(['probability', 'decision']);
  });

  it('comes from the cache where the endpoint has one and the request does not go past it', async () => {
    const ask = async (cacheControl: string) => {
      const headers = { 'cache-control': cacheControl };
      const body = JSON.stringify({ inputs: INPUTS });
      const response = await server.request('/v2/models/kept/infer', { method: 'POST', headers, body });
      return (await response.json()) as Answer;
    };
    const before = (await server.recorded()).length;
    const answers = [];
    for (const said of ['no-store', 'max-age=60', 'max-age=60', 'no-cache']) answers.push(await ask(said));
    const modes = ['live', 'live', 'cached', 'live'];
    expect(answers.map(({ parameters }) => parameters['perennial.mode'])).toEqual(modes);
    const { outputs } = await infer('/v2/models/late/infer', { inputs: INPUTS });
    for (const answer of answers) expect(answer.outputs).toEqual(outputs);
    const recorded = (await server.recorded()).slice(before, before + 4 * ROWS.length);
    expect(recorded.map(({ mode }) => mode)).toEqual(modes.flatMap((mode) => ROWS.map(() => mode)));
  });

  it('keeps every digit of 64-bit integers', async () => {
    const at = (digits: string) =>
      JSON.stringify({ inputs: INPUTS }).replace('"data":[983682367000,null,-1]', `"data":[${digits},0,-1]`);
    const send = async (digits: string) => {
      const response = await server.request('/v2/models/delay/infer', { method: 'POST', body: at(digits) });
      return (await response.json()) as Answer;
    };
    const missing = await infer('/v2/models/delay/infer', {
      inputs: INPUTS.map((input) => (input.name === 'departure' ? { ...input, data: [null, 0, -1] } : input)),
    });
    expect((await send('-9223372036854775808')).outputs).toEqual(missing.outputs);
    // As a number of JavaScript's it would be the one before, and mean that the instant is missing.
    expect((await send('-9223372036854775807'))['error']).toContain("Row 0 of the tensor 'departure'");
    expect((await send('9223372036854775808'))['error']).toContain('out of the range of INT64');
  });

  it('is on record row by row, with keys', async () => {
    const before = (await server.recorded()).length;
    const keys = { name: 'perennial.key', datatype: 'BYTES', shape: [3], data: ['a', 'b', 'c'] };
    const answer = await infer('/v2/models/late/infer', { inputs: [...INPUTS, keys] });
    const rows = (await server.recorded()).slice(before);
    const first = answer.parameters['perennial.prediction_id'] ?? '';
    const outputs = await predict('late');
    expect(rows.map(({ latencyMicroseconds: _, ...rest }) => rest)).toEqual(
      ROWS.map((features, row) => ({
        id: idOfRow(first, row),
        model: 'late',
        version: 1,
        endpoint: 'late',
        key: 'abc'[row],
        features,
        output: outputs[row],
        mode: 'live',
        at: '2024-03-11T03:00:00.000Z',
      })),
    );
  });

  it('takes whole numbers as keys with every digit, and one key as a parameter', async () => {
    const recordedKeys = async (request: string) => {
      const before = (await server.recorded()).length;
      const response = await server.request('/v2/models/delay/infer', { method: 'POST', body: request });
      expect(response.status).toBe(200);
      return (await server.recorded()).slice(before).map(({ key }) => key);
    };
    const tensor =
      '{"name":"perennial.key","datatype":"UINT64","shape":[3],"data":[18446744073709551615,0,7]}';
    const inputs = JSON.stringify(INPUTS);
    expect(await recordedKeys(`{"inputs":[${tensor},${inputs.slice(1)}}`)).toEqual([
      '18446744073709551615',
      '0',
      '7',
    ]);
    const one = INPUTS.map((input) => ({ ...input, shape: [1], data: input.data.slice(0, 1) }));
    const parameters = { 'perennial.key': 'visitor-7' };
    expect(await recordedKeys(JSON.stringify({ parameters, inputs: one }))).toEqual(['visitor-7']);
  });

  it('takes timestamps as ISO 8601 and numbers of every type', async () => {
    const expected = await infer('/v2/models/delay/infer', {
      inputs: INPUTS.map((input) => (input.name === 'distance' ? { ...input, data: [7, 0, 100] } : input)),
    });
    for (const datatype of [
      'FP32',
      'INT8',
      'INT16',
      'INT32',
      'INT64',
      'UINT8',
      'UINT16',
      'UINT32',
      'UINT64',
    ]) {
      const inputs = INPUTS.map((input) => {
        if (input.name === 'departure')
          return {
            ...input,
            datatype: 'BYTES',
            data: ['2001-03-04T05:06:07Z', '', '1969-12-31T23:59:59.999Z'],
          };
        return input.name === 'distance' ? { ...input, datatype, data: [7, 0, 100] } : input;
      });
      expect((await infer('/v2/models/delay/infer', { inputs })).outputs).toEqual(expected.outputs);
    }
  });
});

describe('an inference in bytes', () => {
  it('is answered in JSON where nothing else is asked for', async () => {
    const { answer, tail, response } = await inferBytes('late', { id: 'b' });
    const json = await infer('/v2/models/late/infer', { inputs: INPUTS });
    expect(answer.outputs).toEqual(json.outputs);
    expect(answer['id']).toBe('b');
    expect(tail.length).toBe(0);
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  it('is answered in bytes, each output behind the other', async () => {
    const { answer, tail, response } = await inferBytes('classes', {
      parameters: { binary_data_output: true },
    });
    const json = await infer('/v2/models/classes/infer', { inputs: INPUTS });
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const decisions = json.outputs[1]?.data as string[];
    expect(answer.outputs).toEqual([
      { name: 'probabilities', datatype: 'FP32', shape: [3, 3], parameters: { binary_data_size: 36 } },
      {
        name: 'decision',
        datatype: 'BYTES',
        shape: [3, 1],
        parameters: { binary_data_size: texts(...decisions).length },
      },
    ]);
    const floats = Array.from({ length: 9 }, (_, i) => tail.readFloatLE(4 * i));
    expect(floats).toEqual(json.outputs[0]?.data);
    expect(tail.subarray(36)).toEqual(texts(...decisions));
  });

  it('has of each output what was asked for it', async () => {
    const { answer, tail } = await inferBytes('late', {
      parameters: { binary_data_output: true },
      outputs: [{ name: 'probability', parameters: { binary_data: false } }, { name: 'decision' }],
    });
    const json = await infer('/v2/models/late/infer', { inputs: INPUTS });
    expect(answer.outputs[0]).toEqual(json.outputs[0]);
    expect([...tail]).toEqual((json.outputs[1]?.data as boolean[]).map(Number));
  });

  it('takes FP16 and every width of number', async () => {
    const expected = await infer('/v2/models/delay/infer', {
      inputs: INPUTS.map((input) => (input.name === 'distance' ? { ...input, data: [1, null, 2] } : input)),
    });
    const [, ...others] = TENSORS;
    const send = async (datatype: string, bytes: Uint8Array) => {
      const all: [Json, Uint8Array][] = [[{ name: 'distance', datatype, shape: [3] }, bytes], ...others];
      const body = {
        inputs: all.map(([about, own]) => ({ ...about, parameters: { binary_data_size: own.byteLength } })),
      };
      const response = await server.request(
        '/v2/models/delay/infer',
        binaryBody(body, ...all.map(([, own]) => own)),
      );
      return (await response.json()) as Answer;
    };
    expect((await send('FP16', bytesOf(Uint16Array.of(0x3c00, 0x7e00, 0x4000)))).outputs).toEqual(
      expected.outputs,
    );
    expect((await send('FP32', bytesOf(Float32Array.of(1, NaN, 2)))).outputs).toEqual(expected.outputs);
    const whole = await infer('/v2/models/delay/infer', {
      inputs: INPUTS.map((input) => (input.name === 'distance' ? { ...input, data: [1, 0, 2] } : input)),
    });
    const arrays = {
      INT8: Int8Array,
      INT16: Int16Array,
      INT32: Int32Array,
      UINT8: Uint8Array,
      UINT16: Uint16Array,
      UINT32: Uint32Array,
    };
    for (const [datatype, array] of Object.entries(arrays))
      expect((await send(datatype, bytesOf(array.of(1, 0, 2)))).outputs).toEqual(whole.outputs);
    expect((await send('INT64', bytesOf(BigInt64Array.of(1n, 0n, 2n)))).outputs).toEqual(whole.outputs);
    expect((await send('UINT64', bytesOf(BigUint64Array.of(1n, 0n, 2n)))).outputs).toEqual(whole.outputs);
  });
});
