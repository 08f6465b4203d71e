import * as tf from '@tensorflow/tfjs-core';
import { PARITY_TOLERANCE, type Calibration, type FittedLabel } from '@perennial/contract';
import { Encoder, InferenceModel, writeArtifact, type ColumnBatch } from '@perennial/onnx';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { wasmBackend } from '../backends/wasm-backend.ts';
import { calibratedBy } from '../calibration/calibrate.ts';
import { farthestApart, scaledOutput } from '../parity.ts';
import { randomBatch, randomEncoder } from '../testing/random-features.ts';
import { networkOf, randomPlan } from '../testing/random-network.ts';
import { architecture } from './architecture.ts';
import { inputNames, inputsOf, networkGraph } from './network-graph.ts';

const RISING: [number, number][] = [
  [0, 0.02],
  [0.3, 0.1],
  [0.55, 0.7],
  [1, 0.97],
];

const label: fc.Arbitrary<FittedLabel> = fc.constantFrom(
  { kind: 'binary', name: 'late', threshold: 0.4 },
  { kind: 'multiclass', name: 'cause', classes: ['weather', 'crew', 'none'] },
  { kind: 'regression', name: 'delay', center: 12.5, scale: 40 },
);

/** What a fit on the validation rows may come to; only what suits the label is taken. */
const calibration = fc.constantFrom<(Calibration | undefined)[]>(
  undefined,
  { method: 'temperature', temperature: 0.4 },
  { method: 'temperature', temperature: 3 },
  { method: 'isotonic', points: RISING },
);

const example = fc.record({
  spec: randomEncoder,
  batch: randomBatch,
  plan: randomPlan,
  fitted: label,
  calibration,
});

beforeAll(() => wasmBackend.start());

describe('an exported file', () => {
  it('answers as its network does, for every kind of feature, layer and calibration', async () => {
    await fc.assert(
      fc.asyncProperty(example, async ({ spec, batch, plan, fitted, calibration: drawn }) => {
        const encoder = await Encoder.create(spec);
        const model = networkOf(plan, encoder.layout, fitted);
        const graph = networkGraph(model, encoder.layout, fitted);
        const suits =
          fitted.kind === 'binary' || (fitted.kind === 'multiclass' && drawn?.method === 'temperature');
        const fittedAfter = suits ? drawn : undefined;
        const parts = { encoder: spec, network: graph, label: fitted, properties: {} };
        const served = await InferenceModel.load(
          writeArtifact({ ...parts, ...(fittedAfter && { calibration: fittedAfter }) }),
        );
        const inputs = model.inputs.map(inputNames(model, inputsOf(encoder.layout)));
        const network = calibratedBy({ model, inputs, label: fitted }, fittedAfter);
        const trained = await network.predict(await encodedRows(encoder, batch));
        const answered = scaledOutput(await served.run(batch), fitted);
        expect(farthestApart(trained, answered)).toBeLessThanOrEqual(PARITY_TOLERANCE);
        expect(architecture(graph)).toHaveLength(graph.layers.length);
        await Promise.all([served.release(), encoder.release()]);
        network.dispose();
        model.dispose();
      }),
      { numRuns: 80 },
    );
    expect(tf.memory().numTensors).toBe(0);
  });
});

async function encodedRows(encoder: Encoder, batch: ColumnBatch) {
  const { dense, indices } = await encoder.encode(batch);
  return {
    rows: batch.rows,
    dense: dense ?? new Float32Array(0),
    denseWidth: encoder.layout.denseWidth,
    indices: new Map(Object.entries(indices).map(([feature, of]) => [feature, Int32Array.from(of, Number)])),
    targets: new Float32Array(batch.rows),
  };
}
