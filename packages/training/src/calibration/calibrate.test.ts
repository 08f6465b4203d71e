import * as tf from '@tensorflow/tfjs-core';
import type { FittedLabel } from '@perennial/contract';
import { beforeAll, describe, expect, it } from 'vitest';
import { wasmBackend } from '../backends/wasm-backend.ts';
import type { EncodedRows } from '../fit/encoded-rows.ts';
import { fit, predict } from '../fit/fit.ts';
import { tfLayers } from '../tensorflow.ts';
import { learnableRows, learnableTask } from '../testing/learnable-task.ts';
import { calibrate, calibratedBy, type FittedNetwork } from './calibrate.ts';

const CLASSES: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['a', 'b', 'c'] };
const REGRESSION: FittedLabel = { kind: 'regression', name: 'y', center: 0, scale: 1 };

beforeAll(() => wasmBackend.start());

async function fitted(label?: FittedLabel): Promise<FittedNetwork> {
  const task = learnableTask({ epochs: 20 }, label);
  await fit(task, () => undefined);
  return task;
}

/** Rows of which every third has the other label, so that a network sure of itself is wrong about them. */
function noisyRows(count: number, label?: FittedLabel): EncodedRows {
  const rows = learnableRows(count, 9, label);
  rows.targets.forEach((target, i) => {
    if (i % 3 === 0) rows.targets[i] = target === 0 ? 1 : 0;
  });
  return rows;
}

describe('calibrating', () => {
  it('leaves a network alone where the pipeline asks for nothing', async () => {
    const network = await fitted();
    const rows = noisyRows(300);
    expect(await calibrate(network, 'none', rows)).toEqual({ result: null });
    expect(await calibratedBy(network, undefined).predict(rows)).toEqual(await predict(network, rows));
  });

  it.each(['temperature', 'isotonic'] as const)(
    'by %s lowers the log loss of a network too sure of itself',
    async (method) => {
      const { calibration, result } = await calibrate(await fitted(), method, noisyRows(600));
      expect(calibration?.method).toBe(method);
      expect(result!.logLoss.after).toBeLessThan(result!.logLoss.before * 0.9);
    },
  );

  it('by temperature does so for several classes too', async () => {
    const { result } = await calibrate(await fitted(CLASSES), 'temperature', noisyRows(600, CLASSES));
    expect(result!.temperature).toBeGreaterThan(1.1);
    expect(result!.logLoss.after).toBeLessThan(result!.logLoss.before);
  });

  it('keeps no tensors', async () => {
    const network = await fitted();
    const before = tf.memory().numTensors;
    for (const method of ['temperature', 'isotonic'] as const) {
      const { calibration } = await calibrate(network, method, noisyRows(300));
      const answering = calibratedBy(network, calibration);
      await answering.predict(noisyRows(50));
      answering.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says why it could not', async () => {
    const network = await fitted();
    const notes = async (given: FittedNetwork, rows: EncodedRows, method: 'temperature' | 'isotonic') => {
      const { result, calibration, note } = await calibrate(given, method, rows);
      expect({ result, calibration }).toEqual({ result: null, calibration: undefined });
      return note;
    };
    expect(await notes(network, noisyRows(99), 'temperature')).toBe(
      'not calibrated: there are 99 validation rows, and 100 are needed',
    );
    const oneClass = { ...noisyRows(200), targets: new Float32Array(200) };
    expect(await notes(network, oneClass, 'isotonic')).toBe(
      'not calibrated: all validation rows are of one class',
    );
    expect(await notes({ ...network, label: REGRESSION }, noisyRows(200), 'temperature')).toBe(
      'not calibrated: a regression has no probabilities',
    );
    expect(await notes({ ...network, label: CLASSES }, noisyRows(200, CLASSES), 'isotonic')).toBe(
      'not calibrated: a rising function is for binary labels',
    );
  });

  it('by temperature says so of a network that has no logits', async () => {
    const input = tfLayers.input({ shape: [3], name: 'dense' });
    const head = tfLayers.layers.dense({ units: 1, activation: 'hardSigmoid' });
    const model = tfLayers.model({ inputs: input, outputs: head.apply(input) as typeof input });
    const network = { model, label: learnableTask().label, inputs: ['dense'] };
    const { note } = await calibrate(network, 'temperature', noisyRows(200));
    expect(note).toBe('not calibrated: the network ends in no sigmoid or softmax');
    expect((await calibrate(network, 'isotonic', noisyRows(200))).result?.method).toBe('isotonic');
  });
});
