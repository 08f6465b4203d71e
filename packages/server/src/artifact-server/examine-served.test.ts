import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MISSING_TIMESTAMP,
  servedReportSchema,
  type EncoderSpec,
  type FittedLabel,
} from '@perennial/contract';
import { InferenceModel, writeArtifact, type ColumnBatch, type NetworkLayer } from '@perennial/onnx';
import { digestOf } from '@perennial/storage';
import { examineServed, type ServableModel } from '@perennial/validation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startArtifactServer } from './start-artifact-server.ts';

const ENCODER: EncoderSpec = {
  columns: [
    { name: 'distance', type: 'number' },
    { name: 'weekend', type: 'boolean' },
    { name: 'date', type: 'timestamp' },
    { name: 'origin', type: 'text' },
  ],
  features: [
    {
      kind: 'numeric',
      name: 'distance',
      column: 'distance',
      impute: 0,
      missingIndicator: true,
      clip: {},
      log: false,
      center: 0,
      scale: 1,
    },
    { kind: 'boolean', name: 'weekend', column: 'weekend' },
    { kind: 'timestamp', name: 'date', column: 'date', parts: ['hourOfDay'], cyclic: true },
    {
      kind: 'categorical',
      name: 'origin',
      column: 'origin',
      vocabulary: ['ATL', 'ORD'],
      encoding: { kind: 'embedding', dimension: 2 },
    },
  ],
};

/** Distance and whether it is missing, weekend and whether it is missing, sine and cosine of the hour and whether the date is missing. */
const DENSE_WIDTH = 7;

const ROWS: ColumnBatch = {
  rows: 240,
  columns: {
    distance: Float64Array.from({ length: 240 }, (_, row) => (row % 11 === 0 ? NaN : row / 100 - 1)),
    weekend: Float64Array.from({ length: 240 }, (_, row) => [0, 1, NaN][row % 3]!),
    date: BigInt64Array.from({ length: 240 }, (_, row) =>
      row % 13 === 0 ? MISSING_TIMESTAMP : BigInt(Date.UTC(2001, 0, 1, row, 20)),
    ),
    origin: Array.from({ length: 240 }, (_, row) => ['ATL', 'ORD', 'JFK', ''][row % 4]!),
  },
};

let folder = '';
const opened: InferenceModel[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'examine-served-'));
});
afterAll(async () => {
  for (const model of opened) await model.release();
  await rm(folder, { recursive: true });
});

/** A network with hidden layers of these widths. */
async function servable(hidden: number[], label: FittedLabel): Promise<ServableModel> {
  const outputs = label.kind === 'multiclass' ? label.classes.length : 1;
  const last = { binary: 'sigmoid', multiclass: 'softmax', regression: 'linear' } as const;
  const widths = [DENSE_WIDTH + 2, ...hidden, outputs];
  const dense = widths.slice(1).map((width, i): NetworkLayer => ({
    name: `dense_${i + 1}`,
    inputs: [i === 0 ? 'all' : `dense_${i}`],
    kind: 'dense',
    kernel: { shape: [widths[i]!, width], data: weights(widths[i]! * width) },
    activation: i === widths.length - 2 ? last[label.kind] : 'tanh',
  }));
  const bytes = writeArtifact({
    encoder: ENCODER,
    network: {
      inputs: [
        { name: 'dense', kind: 'dense', width: DENSE_WIDTH },
        { name: 'origin', kind: 'indices', width: 1 },
      ],
      layers: [
        { name: 'table', inputs: ['origin'], kind: 'embedding', table: { shape: [4, 2], data: weights(8) } },
        { name: 'flat', inputs: ['table'], kind: 'flatten' },
        { name: 'all', inputs: ['dense', 'flat'], kind: 'concatenate' },
        ...dense,
      ],
      output: `dense_${widths.length - 1}`,
    },
    label,
    properties: {},
  });
  const artifact = digestOf(bytes);
  const file = join(folder, `${artifact.slice(7, 19)}.onnx`);
  await writeFile(file, bytes);
  const inference = await InferenceModel.load(bytes);
  opened.push(inference);
  return { file, model: { artifact, signature: inference.signature, run: (batch) => inference.run(batch) } };
}

function weights(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) / 2);
}

const BINARY: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.5 };
const start = startArtifactServer;

describe('examining a served artifact', () => {
  test('finds that a fresh process answers as evaluated, for every type of column and as fast as itself', async () => {
    const candidate = await servable([16], BINARY);
    const { report, findings } = await examineServed({
      start,
      name: 'flight-delay',
      candidate,
      champion: await servable([16, 16], BINARY),
      batch: ROWS,
    });
    expect(findings.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['served-answers', 'pass'],
      ['served-latency', 'pass'],
    ]);
    expect(servedReportSchema.parse(report)).toEqual(report);
    expect(report!.maxDifference).toBeLessThanOrEqual(1e-6);
    expect(report!.rows).toBeGreaterThan(report!.requests);
    expect(report!.residentMegabytes).toBeGreaterThan(10);
    expect(report!.champion!.p50Milliseconds).toBeGreaterThan(0);
  });

  test.each<FittedLabel>([
    { kind: 'multiclass', name: 'cause', classes: ['weather', 'crew', '__proto__'] },
    { kind: 'regression', name: 'delay', center: 12, scale: 300 },
  ])('compares the answers of a $kind label too', async (label) => {
    const { report, findings } = await examineServed({
      start,
      name: 'flight-delay',
      candidate: await servable([8], label),
      champion: null,
      batch: ROWS,
    });
    expect(findings).toMatchObject([
      { name: 'served-answers', outcome: 'pass' },
      { name: 'served-latency', outcome: 'skipped' },
    ]);
    expect(findings[1]!.explanation).toContain('no champion');
    expect(report!.champion).toBeNull();
  });

  test('catches a network that takes several times as long, though a request hides it', async () => {
    const { findings } = await examineServed({
      start,
      name: 'flight-delay',
      candidate: await servable([512, 256], BINARY),
      champion: await servable([32], BINARY),
      batch: ROWS,
    });
    expect(findings[1]).toMatchObject({ name: 'served-latency', outcome: 'fail', limit: 3 });
    expect(findings[1]!.measured).toBeGreaterThan(3);
    expect(findings[1]!.explanation).toContain('1,000 rows');
  });

  test('catches a file that is served otherwise than it was evaluated', async () => {
    const [evaluated, other] = [await servable([8], BINARY), await servable([9], BINARY)];
    const { findings } = await examineServed({
      start,
      name: 'flight-delay',
      candidate: { file: other.file, model: evaluated.model },
      champion: null,
      batch: ROWS,
    });
    expect(findings[0]).toMatchObject({ name: 'served-answers', outcome: 'fail' });
    expect(findings[0]!.measured).toBeGreaterThan(1e-6);
  });

  test('fails a file that no process can serve, with what the process said', async () => {
    const candidate = await servable([8], BINARY);
    const file = join(folder, 'broken.onnx');
    await writeFile(file, 'no model');
    const { report, findings } = await examineServed({
      start,
      name: 'flight-delay',
      candidate: { ...candidate, file },
      champion: null,
      batch: ROWS,
    });
    expect(report).toBeNull();
    expect(findings[0]).toMatchObject({ name: 'served-answers', outcome: 'fail' });
    expect(findings[0]!.explanation).toMatch(/does not serve it: .*exit code 1.*not an ONNX file/s);
  });
});
