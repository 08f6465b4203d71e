import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { EncoderSpec, FittedLabel } from '@perennial/contract';
import { Encoder, encoderLayout, readArtifact, writeArtifact, type ColumnBatch } from '@perennial/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import { cpuBackend } from '../backends/cpu-backend.ts';
import { predict } from '../fit/fit.ts';
import { networkInputs } from '../network/layout.ts';
import { buildMlp, type MlpSpec } from '../network/mlp.ts';
import { inputNames, inputsOf, networkGraph } from '../network/network-graph.ts';
import { walkNetwork } from '../network/walk.ts';
import { farthestApart } from '../parity.ts';
import { mlpSpec } from '../testing/learnable-task.ts';
import { warmStart } from './warm-start.ts';

const BINARY: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.5 };
const COLUMNS: EncoderSpec['columns'] = [
  { name: 'distance', type: 'number' },
  { name: 'age', type: 'number' },
  { name: 'origin', type: 'text' },
  { name: 'carrier', type: 'text' },
];
const BATCH: ColumnBatch = {
  rows: 5,
  columns: {
    distance: Float64Array.of(10, 200, 3000, 400, 5),
    age: Float64Array.of(1, 2, 3, 4, 5),
    origin: ['ORD', 'LAX', 'JFK', '', 'ORD'],
    carrier: ['AA', 'UA', 'DL', 'AA', ''],
  },
};

interface Day {
  distance: { center: number; scale: number };
  origins: string[];
  carriers: string[];
  withAge?: boolean;
}

/** The encoder as one day's statistics make it. */
function encoderOf({ distance, origins, carriers, withAge = true }: Day): EncoderSpec {
  const numeric = { kind: 'numeric', impute: 0, missingIndicator: false, clip: {}, log: false } as const;
  return {
    columns: COLUMNS,
    features: [
      ...(withAge ? [{ ...numeric, name: 'age', column: 'age', center: 0, scale: 1 }] : []),
      { ...numeric, name: 'distance', column: 'distance', ...distance },
      {
        kind: 'categorical',
        name: 'origin',
        column: 'origin',
        vocabulary: origins,
        encoding: { kind: 'embedding', dimension: 3 },
      },
      {
        kind: 'categorical',
        name: 'carrier',
        column: 'carrier',
        vocabulary: carriers,
        encoding: { kind: 'oneHot' },
      },
    ],
  };
}

const YESTERDAY: Day = {
  distance: { center: 500, scale: 900 },
  origins: ['LAX', 'ORD', 'JFK'],
  carriers: ['UA', 'AA', 'DL'],
};

function networkFor(encoder: EncoderSpec, label: FittedLabel, options: Partial<MlpSpec>) {
  const layout = encoderLayout(encoder);
  return buildMlp({ spec: mlpSpec(options), layout, label, inputs: networkInputs(layout) });
}

function champion(encoder: EncoderSpec, label: FittedLabel, options: Partial<MlpSpec> = {}) {
  const model = networkFor(encoder, label, { seed: 11, ...options });
  const network = networkGraph(model, encoderLayout(encoder), label);
  return { model, artifact: readArtifact(writeArtifact({ encoder, network, label, properties: {} })) };
}

async function answers(model: LayersModel, encoder: EncoderSpec, label: FittedLabel): Promise<Float32Array> {
  const session = await Encoder.create(encoder);
  const { dense, indices } = await session.encode(BATCH);
  await session.release();
  const rows = {
    rows: BATCH.rows,
    dense: dense!,
    denseWidth: session.layout.denseWidth,
    indices: new Map(Object.entries(indices).map(([feature, of]) => [feature, Int32Array.from(of, Number)])),
    targets: new Float32Array(BATCH.rows),
  };
  const inputs = model.inputs.map(inputNames(model, inputsOf(session.layout)));
  return predict({ model, inputs, label }, rows);
}

/** A new network begun at yesterday's champion: what both answer, and what was said. */
async function begun(
  today: EncoderSpec,
  options: { yesterday?: EncoderSpec; label?: FittedLabel; was?: FittedLabel; spec?: Partial<MlpSpec> } = {},
) {
  const { yesterday = encoderOf(YESTERDAY), label = BINARY, was = label, spec = {} } = options;
  const old = champion(yesterday, was);
  const model = networkFor(today, label, { seed: 12, ...spec });
  const walk = walkNetwork(model, inputNames(model, inputsOf(encoderLayout(today))));
  const outcome = warmStart({ model, walk, encoder: today, label, champion: old.artifact });
  return {
    ...outcome,
    before: await answers(old.model, yesterday, was),
    now: await answers(model, today, label),
  };
}

beforeAll(async () => {
  await cpuBackend.start();
});

describe('a warm start', () => {
  it('answers as the champion when nothing changed', async () => {
    const { before, now, note, carried } = await begun(encoderOf(YESTERDAY));
    expect(carried).toBe(true);
    expect(note).toBe("all weights are the champion's");
    expect(now).toEqual(before);
  });

  it('answers as the champion when vocabularies have another order and numbers another mean and deviation', async () => {
    const today = encoderOf({
      distance: { center: 650, scale: 700 },
      origins: ['JFK', 'LAX', 'ORD'],
      carriers: ['DL', 'UA', 'AA'],
    });
    const { before, now, note } = await begun(today);
    expect(note).toBe("all weights are the champion's");
    expect(farthestApart(before, now)).toBeLessThan(1e-6);
  });

  it('answers as before for an entry that only now is in the vocabulary', async () => {
    const today = encoderOf({ ...YESTERDAY, origins: ['ORD', 'SEA', 'JFK', 'LAX'] });
    const { before, now } = await begun(today);
    expect(farthestApart(before, now)).toBeLessThan(1e-6);
  });

  it('keeps the rest when a column is new, and says so', async () => {
    const { note, carried } = await begun(encoderOf(YESTERDAY), {
      yesterday: encoderOf({ ...YESTERDAY, withAge: false }),
    });
    expect(carried).toBe(true);
    expect(note).toBe("the champion's weights, except: 1 of 10 rows of 'hidden_1' are new");
  });

  it('keeps a regression on the values it knew when the label is scaled anew', async () => {
    const was: FittedLabel = { kind: 'regression', name: 'delay', center: 8, scale: 20 };
    const label: FittedLabel = { kind: 'regression', name: 'delay', center: 11, scale: 35 };
    const { before, now } = await begun(encoderOf(YESTERDAY), { was, label });
    const values = (scaled: Float32Array, { center, scale }: { center: number; scale: number }) =>
      scaled.map((y) => y * scale + center);
    expect(farthestApart(values(before, was), values(now, label))).toBeLessThan(1e-4);
  });

  it('finds the classes of a multiclass label by name', async () => {
    const was: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['a', 'b', 'c'] };
    const label: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['c', 'a', 'b'] };
    const { before, now } = await begun(encoderOf(YESTERDAY), { was, label });
    const turned = Float32Array.from(before, (_, i) => before[3 * Math.floor(i / 3) + (((i % 3) + 2) % 3)]!);
    expect(farthestApart(turned, now)).toBeLessThan(1e-6);
  });

  it('begins a layer of another width fresh, and says which', async () => {
    const { carried, note } = await begun(encoderOf(YESTERDAY), { spec: { hidden: [16, 8, 4] } });
    expect(carried).toBe(true);
    expect(note).toContain("'hidden_3' is new");
  });

  it('carries nothing from a champion of another label kind', async () => {
    const was: FittedLabel = { kind: 'regression', name: 'delay', center: 0, scale: 1 };
    const { carried, note } = await begun(encoderOf(YESTERDAY), { was });
    expect(carried).toBe(false);
    expect(note).toContain("the champion's label is regression");
  });

  it('leaves no tensors behind', async () => {
    const encoder = encoderOf(YESTERDAY);
    const { artifact } = champion(encoder, BINARY);
    const model = networkFor(encoder, BINARY, {});
    const walk = walkNetwork(model, inputNames(model, inputsOf(encoderLayout(encoder))));
    const before = tf.memory().numTensors;
    warmStart({ model, walk, encoder, label: BINARY, champion: artifact });
    expect(tf.memory().numTensors).toBe(before);
  });
});
