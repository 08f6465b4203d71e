import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BINARY,
  MIXED,
  binaryBody,
  layerArtifact,
  startTensorServer,
  type TensorServer,
} from '../testing/tensor-server.ts';

let server: TensorServer;
beforeAll(async () => {
  server = await startTensorServer({ late: layerArtifact(MIXED, BINARY) });
});
afterAll(() => server.stop());

type Json = Record<string, unknown>;

const GOOD: Json[] = [
  { name: 'distance', datatype: 'FP64', shape: [2], data: [1, 2] },
  { name: 'weekend', datatype: 'BOOL', shape: [2], data: [true, false] },
  { name: 'origin', datatype: 'BYTES', shape: [2], data: ['a', 'b'] },
  { name: 'departure', datatype: 'INT64', shape: [2], data: [0, 1] },
];

/** The good tensors, one of them changed. */
const change = (name: string, to: Json) =>
  GOOD.map((tensor) => (tensor['name'] === name ? { ...tensor, ...to } : tensor));

async function refusal(init: RequestInit): Promise<string> {
  const response = await server.request('/v2/models/late/infer', { method: 'POST', ...init });
  const body = (await response.json()) as Json;
  expect(Object.keys(body)).toEqual(['error']);
  return `${response.status} ${String(body['error'])}`;
}

const refusalOf = (request: unknown) => refusal({ body: JSON.stringify(request) });

const KEY = { name: 'perennial.key', datatype: 'BYTES', shape: [2], data: ['a', 'b'] };

describe('a request in JSON is refused', () => {
  const cases: [string, unknown, string][] = [
    ['that is no object', [], 'must be an object'],
    ['without inputs', {}, 'inputs must be a list'],
    ['with inputs that are none', { inputs: [] }, 'inputs must be a list'],
    ['with an input that is none', { inputs: [1] }, 'inputs[0] must be an object'],
    ['with an id that is no text', { id: 1, inputs: GOOD }, 'id must be a text'],
    ['with parameters that are none', { parameters: 1, inputs: GOOD }, 'parameters must be an object'],
    ['without a name', { inputs: [{ ...GOOD[0], name: 1 }] }, 'inputs[0].name must be a text'],
    [
      'with an unknown datatype',
      { inputs: change('distance', { datatype: 'FLOAT' }) },
      'must be one of BOOL',
    ],
    ['without a shape', { inputs: change('distance', { shape: undefined }) }, 'must be a list of 1 to 8 dim'],
    ['with a negative shape', { inputs: change('distance', { shape: [-2] }) }, 'whole numbers from 0 on'],
    [
      'with a shape that is no number',
      { inputs: change('distance', { shape: ['2'] }) },
      'whole numbers from',
    ],
    [
      'with a shape that overflows',
      { inputs: change('distance', { shape: [2 ** 32, 2 ** 32] }) },
      'too many elements',
    ],
    [
      'without data',
      { inputs: change('distance', { data: undefined }) },
      "The tensor 'distance' has no data",
    ],
    ['with data that is no list', { inputs: change('distance', { data: 1 }) }, 'must be a list'],
    ['with less data', { inputs: change('distance', { data: [1] }) }, '2 elements are needed'],
    ['with more data', { inputs: change('distance', { data: [1, 2, 3] }) }, '2 elements are needed'],
    [
      'with data of another nesting',
      { inputs: change('distance', { data: [[1, 2]] }) },
      'does not have the shape [2]',
    ],
    [
      'with data nested unevenly',
      { inputs: change('distance', { shape: [2, 1], data: [[1], [2, 3]] }) },
      'not nested as its shape says',
    ],
    [
      'with data nested too deeply',
      { inputs: change('distance', { data: [[1], [2]] }) },
      'does not have the shape [2]',
    ],
    [
      'with a matrix',
      { inputs: change('distance', { shape: [1, 2] }) },
      'must have the shape [rows] or [rows, 1]',
    ],
    ['with a cube', { inputs: change('distance', { shape: [2, 1, 1] }) }, 'must have the shape [rows] or'],
    [
      'with tensors of different lengths',
      { inputs: change('weekend', { shape: [1], data: [true] }) },
      'has 1 rows where those before it have 2',
    ],
    [
      'without a tensor',
      { inputs: GOOD.slice(1) },
      "The tensor 'distance' is missing. Each column is a tensor",
    ],
    [
      'with a tensor that the model does not have',
      { inputs: [...GOOD, { ...GOOD[0], name: 'Distance' }] },
      "The model has no input 'Distance'",
    ],
    ['with a tensor twice', { inputs: [...GOOD, GOOD[0]] }, "inputs has the tensor 'distance' twice"],
    [
      'for an output that the model does not have',
      { inputs: GOOD, outputs: [{ name: 'value' }] },
      "The model has no output 'value'. It has probability, decision",
    ],
    ['for outputs that are none', { inputs: GOOD, outputs: {} }, 'outputs must be a list'],
    ['for an output twice', { inputs: GOOD, outputs: [{ name: 'decision' }, { name: 'decision' }] }, 'twice'],
    [
      'for classes',
      { inputs: GOOD, outputs: [{ name: 'probability', parameters: { classification: 2 } }] },
      'classification extension is not offered',
    ],
    [
      'from shared memory',
      { inputs: change('distance', { parameters: { shared_memory_region: 'r' } }) },
      'shared memory extensions are not offered',
    ],
    [
      'for bytes in words',
      { inputs: GOOD, parameters: { binary_data_output: 'yes' } },
      'binary_data_output must be true or false',
    ],
    ['with no rows', { inputs: GOOD.map((t) => ({ ...t, shape: [0], data: [] })) }, '1 to 50000 rows, not 0'],
    [
      'with too many rows',
      {
        inputs: GOOD.map((t) => ({ ...t, shape: [50_001], data: Array<null>(50_001).fill(null) })),
      },
      '1 to 50000 rows, not 50001',
    ],
    [
      'with a text for a number',
      { inputs: change('distance', { data: ['1', 2] }) },
      "Row 0 of the tensor 'distance' must be a number",
    ],
    [
      'with text for a number column',
      { inputs: change('distance', { datatype: 'BYTES' }) },
      'is a number and must be FP64',
    ],
    ['with booleans for a number column', { inputs: change('distance', { datatype: 'BOOL' }) }, 'not BOOL'],
    ['with FP16 in JSON', { inputs: change('distance', { datatype: 'FP16' }) }, 'taken as bytes only'],
    [
      'with a fraction in integers',
      { inputs: change('distance', { datatype: 'INT8', data: [0.5, 1] }) },
      'must be a whole number',
    ],
    [
      'with a number out of range',
      { inputs: change('distance', { datatype: 'UINT8', data: [0, 256] }) },
      "Row 1 of the tensor 'distance' is out of the range of UINT8",
    ],
    [
      'with an infinity in FP32',
      { inputs: change('distance', { datatype: 'FP32', data: [1e300, 1] }) },
      'is infinite',
    ],
    [
      'with numbers for a boolean',
      { inputs: change('weekend', { data: [1, 0] }) },
      'must be true, false or null',
    ],
    [
      'with integers for a boolean',
      { inputs: change('weekend', { datatype: 'INT8', data: [1, 0] }) },
      'must be BOOL, or FP32',
    ],
    [
      'with a boolean of 2',
      { inputs: change('weekend', { datatype: 'FP32', data: [2, 0] }) },
      'must be 0 or 1',
    ],
    [
      'with a number for text',
      { inputs: change('origin', { data: [1, 'a'] }) },
      "Row 0 of the tensor 'origin' must be text",
    ],
    [
      'with numbers for text',
      { inputs: change('origin', { datatype: 'INT8', data: [1, 2] }) },
      'must be BYTES, not INT8',
    ],
    ['with NUL in a text', { inputs: change('origin', { data: ['a', 'b\0'] }) }, 'without NUL'],
    ['with half a character', { inputs: change('origin', { data: ['a', '\ud800'] }) }, 'without NUL'],
    [
      'with a long text',
      { inputs: change('origin', { data: ['a', 'b'.repeat(10_001)] }) },
      'at most 10000 characters',
    ],
    ['with a float for an instant', { inputs: change('departure', { datatype: 'FP64' }) }, 'must be INT64'],
    ['with no instant', { inputs: change('departure', { data: [8.64e15 + 1, 0] }) }, 'is no instant'],
    [
      'with a text that is no instant',
      { inputs: change('departure', { datatype: 'BYTES', data: ['today', ''] }) },
      'no timestamp in ISO 8601',
    ],
    ['with an empty key', { inputs: [...GOOD, { ...KEY, data: ['a', ''] }] }, 'The key in row 1'],
    ['with a key that is null', { inputs: [...GOOD, { ...KEY, data: ['a', null] }] }, 'The key in row 1'],
    ['with a long key', { inputs: [...GOOD, { ...KEY, data: ['a'.repeat(257), 'b'] }] }, 'The key in row 0'],
    ['with fewer keys', { inputs: [...GOOD, { ...KEY, shape: [1], data: ['a'] }] }, 'has 1 rows where'],
    [
      'with keys that are fractions',
      { inputs: [...GOOD, { ...KEY, datatype: 'FP64', data: [1, 2] }] },
      'BYTES or an integer type',
    ],
    ['with one key for two rows', { inputs: GOOD, parameters: { 'perennial.key': 'a' } }, 'is for one row'],
    [
      'with keys in two places',
      { inputs: [...GOOD, KEY], parameters: { 'perennial.key': 'a' } },
      'not in both',
    ],
    [
      'with bytes that are not there',
      { inputs: change('distance', { data: undefined, parameters: { binary_data_size: 16 } }) },
      '16 bytes by its binary_data_size, and 0 are left',
    ],
  ];

  it.each(cases)('%s', async (_, request, message) => {
    const answer = await refusalOf(request);
    expect(answer).toMatch(/^400 /);
    expect(answer).toContain(message);
  });

  it('that is no JSON', async () => {
    expect(await refusal({ body: '{"inputs":[' })).toMatch(/^400 /);
    expect(await refusal({ body: '' })).toMatch(/^400 /);
    // JSON has no NaN, which Python's own writer would put there.
    expect(await refusal({ body: JSON.stringify({ inputs: GOOD }).replace('[1,2]', '[NaN,2]') })).toMatch(
      /^400 /,
    );
    expect(await refusal({ body: `{"inputs":[{"datatype":"INT64","data":${'['.repeat(50_000)}` })).toMatch(
      /^400 /,
    );
    const deep = `${'['.repeat(50_000)}1e17${']'.repeat(50_000)}`;
    const inputs = `[{"name":"distance","shape":[1],"datatype":"INT64","data":${deep}}]`;
    expect(await refusal({ body: `{"inputs":${inputs}}` })).toMatch(/^400 /);
  });

  it('of another type, or compressed, or too large', async () => {
    const body = JSON.stringify({ inputs: GOOD });
    expect(await refusal({ body, headers: { 'content-type': 'text/plain' } })).toMatch(/^415 /);
    expect(await refusal({ body, headers: { 'content-encoding': 'gzip' } })).toContain('compressed (gzip)');
    expect(await refusal({ body: ' '.repeat(2 ** 20 + 1) })).toMatch(/^413 /);
    expect(await refusal({ body, headers: { 'content-length': String(2 ** 20 + 1) } })).toMatch(/^413 /);
  });

  it('and nothing of it is on record', async () => {
    const before = (await server.recorded()).length;
    await refusalOf({ inputs: GOOD, outputs: [{ name: 'value' }] });
    await refusalOf({ inputs: change('distance', { data: ['1', 2] }) });
    expect(await server.recorded()).toHaveLength(before);
  });
});

const ABOUT: Json[] = GOOD.map(({ data: _, ...about }) => about);
const BYTES: Uint8Array[] = [
  new Uint8Array(Float64Array.of(1, 2).buffer),
  Uint8Array.of(1, 0),
  Uint8Array.of(1, 0, 0, 0, 97, 1, 0, 0, 0, 98),
  new Uint8Array(BigInt64Array.of(0n, 1n).buffer),
];

/** The good tensors as bytes, one of them changed. */
function binary(name?: string, to: { bytes?: Uint8Array; size?: unknown } & Json = {}): RequestInit {
  const { bytes: changed, size, ...rest } = to;
  const bytes = ABOUT.map((about, i) =>
    about['name'] === name && changed ? changed : (BYTES[i] as Uint8Array),
  );
  const inputs = ABOUT.map((about, i) => {
    const own = about['name'] === name ? rest : {};
    const given = about['name'] === name && size !== undefined ? size : bytes[i]?.byteLength;
    return { ...about, ...own, parameters: { binary_data_size: given } };
  });
  return binaryBody({ inputs }, ...bytes);
}

describe('a request in bytes is refused', () => {
  it('not where it is good', async () => {
    expect((await server.request('/v2/models/late/infer', binary())).status).toBe(200);
  });

  const distance = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer);
  const cases: [string, RequestInit, string][] = [
    ['with a size that is none', binary('distance', { size: '16' }), 'whole number of bytes'],
    ['with a negative size', binary('distance', { size: -16 }), 'whole number of bytes'],
    ['with a size that is a fraction', binary('distance', { size: 0.5 }), 'whole number of bytes'],
    ['with a size beyond all numbers', binary('distance', { size: 2 ** 60 }), 'whole number of bytes'],
    ['with a size of other elements', binary('distance', { size: 8 }), '2 elements of FP64 are 16 bytes'],
    ['with texts beyond the end', binary('origin', { size: 2 ** 40 }), 'are left'],
    [
      'with an infinity',
      binary('distance', { bytes: distance(1, -Infinity) }),
      "Row 1 of the tensor 'distance' is infinite",
    ],
    ['with a boolean of 2', binary('weekend', { bytes: Uint8Array.of(2, 0) }), 'must be 0 or 1'],
    [
      'with integers beyond 2^53',
      binary('distance', {
        datatype: 'INT64',
        bytes: new Uint8Array(BigInt64Array.of(2n ** 53n, 0n).buffer),
      }),
      'beyond 2^53',
    ],
    [
      'with no instant',
      binary('departure', { bytes: new Uint8Array(BigInt64Array.of(-(2n ** 63n) + 1n, 0n).buffer) }),
      'is no instant',
    ],
    [
      'with a text that is not UTF-8',
      binary('origin', { bytes: Uint8Array.of(1, 0, 0, 0, 0xff, 0, 0, 0, 0) }),
      "Row 0 of the tensor 'origin' is not UTF-8",
    ],
    [
      'with a text that goes on',
      binary('origin', { bytes: Uint8Array.of(9, 0, 0, 0, 97, 1, 0, 0, 0, 98) }),
      'ends within its row 0',
    ],
    [
      'with a length that ends',
      binary('origin', { bytes: Uint8Array.of(3, 0, 0, 0, 97, 98, 99, 0) }),
      'ends within its row 1',
    ],
    [
      'with a length of four gigabytes',
      binary('origin', { bytes: Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0) }),
      'ends within its row 0',
    ],
    [
      'with fewer texts',
      binary('origin', { bytes: Uint8Array.of(0, 0, 0, 0) }),
      'ends before its 2 texts do',
    ],
    ['with more texts', binary('origin', { bytes: new Uint8Array(12) }), '4 bytes more than its 2 texts'],
    ['with data beside bytes', binary('distance', { data: [1, 2] }), 'has both data and binary_data_size'],
  ];

  it.each(cases)('%s', async (_, request, message) => {
    const answer = await refusal(request);
    expect(answer).toMatch(/^400 /);
    expect(answer).toContain(message);
  });

  it('that ends early, or goes on', async () => {
    const { body, headers = {} } = binary();
    const whole = body as Buffer<ArrayBuffer>;
    expect(await refusal({ headers, body: whole.subarray(0, -1) })).toContain('15 are left');
    expect(await refusal({ headers, body: Buffer.concat([whole, Buffer.of(0)]) })).toContain(
      'has 1 bytes more than its tensors',
    );
  });

  it.each(['99999', '1e3', '-1', '0', '', '9'.repeat(30)])('with a header length of %s', async (length) => {
    const answer = await refusal({
      ...binary(),
      headers: { 'inference-header-content-length': length },
    });
    expect(answer).toMatch(/^400 .*Inference-Header-Content-Length/);
  });

  it('with a header length that ends within the JSON', async () => {
    expect(await refusal({ ...binary(), headers: { 'inference-header-content-length': '10' } })).toMatch(
      /^400 /,
    );
  });
});
