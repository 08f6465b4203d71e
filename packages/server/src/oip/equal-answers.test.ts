import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MISSING_TIMESTAMP, type Instance } from '@perennial/contract';
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

const MODELS = ['late', 'classes', 'delay'] as const;

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

const rows = fc.array(
  fc.record({
    distance: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })),
    weekend: fc.option(fc.boolean()),
    origin: fc.option(
      fc.oneof(
        fc.constantFrom('ORD', 'Zürich', ''),
        fc.string({ unit: 'grapheme', maxLength: 6 }).filter((text) => !text.includes('\0')),
      ),
    ),
    departure: fc.option(fc.integer({ min: -1e12, max: 2e12 })),
  }),
  { minLength: 1, maxLength: 20 },
);

/** Bytes before a tensor shift those behind it, so that it lies at an address that is no multiple of its elements. */
const padding = fc.string({ unit: fc.constantFrom('x'), maxLength: 9 });

const column = (given: readonly Instance[], name: string) => given.map((row) => row[name] ?? null);

function jsonTensors(given: readonly Instance[]): Json[] {
  const datatypes = { distance: 'FP64', weekend: 'BOOL', origin: 'BYTES', departure: 'INT64' };
  return Object.entries(datatypes).map(([name, datatype]) => ({
    name,
    datatype,
    shape: [given.length, 1],
    data: column(given, name),
  }));
}

function textBytes(texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}

function binaryTensors(given: readonly Instance[], id: string): RequestInit {
  const number = (value: unknown) => (value === null ? NaN : Number(value));
  const instant = (value: unknown) => (value === null ? MISSING_TIMESTAMP : BigInt(value as number));
  const tensors: [string, string, Uint8Array][] = [
    ['origin', 'BYTES', textBytes(column(given, 'origin').map((text) => (text as string | null) ?? ''))],
    ['distance', 'FP64', new Uint8Array(Float64Array.from(column(given, 'distance'), number).buffer)],
    ['weekend', 'FP32', new Uint8Array(Float32Array.from(column(given, 'weekend'), number).buffer)],
    [
      'departure',
      'INT64',
      new Uint8Array(BigInt64Array.from(column(given, 'departure').map(instant)).buffer),
    ],
  ];
  const inputs = tensors.map(([name, datatype, bytes]) => ({
    name,
    datatype,
    shape: [given.length],
    parameters: { binary_data_size: bytes.byteLength },
  }));
  const request = { id, parameters: { binary_data_output: true }, inputs };
  return binaryBody(request, ...tensors.map(([, , bytes]) => bytes));
}

async function byRows(model: string, instances: readonly Instance[]): Promise<Json[]> {
  const response = await server.request(`/v1/models/${model}/predict`, {
    method: 'POST',
    body: JSON.stringify({ instances }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { predictions: { output: Json }[] }).predictions.map(
    ({ output }) => output,
  );
}

interface Output {
  name: string;
  shape: number[];
  data?: unknown[];
  parameters?: { binary_data_size: number };
}

async function byTensors(model: string, request: RequestInit): Promise<Record<string, unknown[]>> {
  const response = await server.request(`/v2/models/${model}/infer`, { method: 'POST', ...request });
  expect(response.status).toBe(200);
  const body = Buffer.from(await response.arrayBuffer());
  let at = Number(response.headers.get('inference-header-content-length') ?? body.length);
  const { outputs } = JSON.parse(body.toString('utf8', 0, at)) as { outputs: Output[] };
  const values: Record<string, unknown[]> = {};
  for (const { name, data, parameters, shape } of outputs) {
    if (data !== undefined) values[name] = data;
    else {
      const bytes = body.subarray(at, (at += parameters?.binary_data_size ?? 0));
      values[name] = readOutput(name, { bytes, model, elements: shape.reduce((a, b) => a * b, 1) });
    }
  }
  return values;
}

function readOutput(name: string, of: { bytes: Buffer; model: string; elements: number }): unknown[] {
  const { bytes, model, elements } = of;
  if (name !== 'decision') return Array.from({ length: elements }, (_, i) => bytes.readFloatLE(4 * i));
  if (model === 'late') return Array.from(bytes, Boolean);
  let at = 0;
  return Array.from({ length: elements }, () => {
    const end = at + 4 + bytes.readUInt32LE(at);
    const text = bytes.toString('utf8', at + 4, end);
    at = end;
    return text;
  });
}

/** Answers of rows, output by output. */
function columnsOf(answers: readonly Json[]): Record<string, unknown[]> {
  return Object.fromEntries(
    Object.keys(answers[0] ?? {}).map((name) => [
      name,
      answers.flatMap((answer) =>
        name === 'probabilities' ? Object.values(answer[name] as Json) : [answer[name]],
      ),
    ]),
  );
}

it('answers rows the same in objects, in JSON tensors and in bytes', async () => {
  const property = fc.asyncProperty(fc.constantFrom(...MODELS), rows, padding, async (model, given, id) => {
    const expected = columnsOf(await byRows(model, given));
    expect(await byTensors(model, { body: JSON.stringify({ inputs: jsonTensors(given) }) })).toEqual(
      expected,
    );
    expect(await byTensors(model, binaryTensors(given, id))).toEqual(expected);
  });
  await fc.assert(property, { numRuns: 100 });
});
