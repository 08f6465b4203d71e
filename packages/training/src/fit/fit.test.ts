import * as tf from '@tensorflow/tfjs-core';
import { layers, model, regularizers } from '@tensorflow/tfjs-layers';
import type { FittedLabel, TrainingProgress } from '@perennial/contract';
import { beforeAll, describe, expect, it } from 'vitest';
import { wasmBackend } from '../backends/wasm-backend.ts';
import { DivergedError } from '../errors.ts';
import { networkInputs } from '../network/layout.ts';
import { LAYOUT, learnableRows, learnableTask } from '../testing/learnable-task.ts';
import { emptyRows } from './encoded-rows.ts';
import { fit, predict } from './fit.ts';
import { seedProcess } from './random.ts';

const silent = () => undefined;
const MULTICLASS: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['a', 'b', 'c'] };
const REGRESSION: FittedLabel = { kind: 'regression', name: 'delay', center: 0, scale: 1 };

beforeAll(() => wasmBackend.start());

describe('fitting', () => {
  it.each(['adam', 'sgd', 'rmsprop', 'adagrad'] as const)(
    'lowers the validation loss with %s',
    async (optimizer) => {
      const learningRate = optimizer === 'adam' || optimizer === 'rmsprop' ? 0.01 : 0.3;
      const results = await fit(learnableTask({ optimizer, learningRate, epochs: 4 }), silent);
      expect(results.at(-1)!.validationLoss).toBeLessThan(results[0]!.validationLoss! * 0.95);
    },
  );

  it.each([MULTICLASS, REGRESSION])('learns a $kind label', async (label) => {
    const results = await fit(learnableTask({ epochs: 6 }, label), silent);
    expect(results.at(-1)!.validationLoss).toBeLessThan(results[0]!.validationLoss! * 0.5);
  });

  it('learns through batch normalisation and dropout, and moves the running averages', async () => {
    seedProcess(1);
    const task = learnableTask({
      batchNormalization: true,
      dropout: 0.2,
      activation: 'leakyRelu',
      epochs: 5,
    });
    const results = await fit(task, silent);
    expect(results.at(-1)!.loss).toBeLessThan(results[0]!.loss * 0.8);
    const mean = task.model.getLayer('hidden_1_normalization').getWeights()[2]!;
    expect(mean.dataSync().some((value) => value !== 0)).toBe(true);
  });

  it('tells of its progress, rising to the whole', async () => {
    const progress: TrainingProgress[] = [];
    await fit(learnableTask({ epochs: 2, batchSize: 10 }), (step) => progress.push(step));
    const done = progress.flatMap((step) => (step.type === 'batch' ? [step.done] : []));
    expect(done.length).toBeGreaterThan(4);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(1);
    expect(progress.filter(({ type }) => type === 'epoch')).toHaveLength(2);
  });

  it("gives other weights for another seed of the rows' order", async () => {
    const weightsOf = async (seed: number) => {
      const task = learnableTask({ epochs: 1 });
      await fit({ ...task, spec: { ...task.spec, seed } }, silent);
      return [...task.model.getWeights()[0]!.dataSync()];
    };
    expect(await weightsOf(1)).not.toEqual(await weightsOf(2));
  });

  it('reports the loss that plain arithmetic gives', async () => {
    const task = learnableTask({ epochs: 1, learningRate: 1e-12, batchSize: 128 });
    const [result] = await fit(task, silent);
    const probability = await predict(task, task.validation);
    const surprise = probability.reduce(
      (sum, p, i) => sum - Math.log(task.validation.targets[i] === 1 ? p : 1 - p),
      0,
    );
    expect(result!.validationLoss).toBeCloseTo(surprise / task.validation.rows, 5);
  });

  it('adds the penalties of regularizers to the loss', async () => {
    const inputs = networkInputs(LAYOUT);
    const penalised = (l2: number) => {
      const task = learnableTask({ epochs: 1, learningRate: 1e-12 });
      const head = layers.dense({
        units: 1,
        activation: 'sigmoid',
        kernelInitializer: 'ones',
        kernelRegularizer: regularizers.l2({ l2 }),
      });
      const dense = inputs.get('dense')!;
      const own = model({ inputs: dense, outputs: head.apply(dense) as typeof dense });
      return { ...task, model: own, inputs: ['dense'] };
    };
    const [plain] = await fit(penalised(0), silent);
    const [heavy] = await fit(penalised(0.5), silent);
    // Three weights of 1: the penalty is 0.5 · 3.
    expect(heavy!.loss - plain!.loss).toBeCloseTo(1.5, 4);
  });

  it('counts rows of a class that training did not have as no loss', async () => {
    const task = learnableTask({ epochs: 1 }, MULTICLASS);
    const validation = learnableRows(50, 3, MULTICLASS);
    validation.targets.fill(-1);
    const [result] = await fit({ ...task, validation }, silent);
    expect(result!.validationLoss).toBeCloseTo(0, 6);
  });
});

describe('patience', () => {
  it('stops when the validation loss no longer falls, and puts the best weights back', async () => {
    const task = learnableTask({ epochs: 30, patience: 2, learningRate: 0.3, seed: 4 });
    const results = await fit(task, silent);
    expect(results.length).toBeLessThan(30);
    const losses = results.map(({ validationLoss }) => validationLoss!);
    const best = Math.min(...losses);
    expect(losses.length - 1 - losses.indexOf(best)).toBe(2);
    const [again] = await fit({ ...task, epochs: 1, spec: { ...task.spec, learningRate: 1e-12 } }, silent);
    expect(again!.validationLoss).toBeCloseTo(best, 5);
  });

  it('goes by the training loss where there are no validation rows', async () => {
    const task = learnableTask({ epochs: 2, patience: 1 });
    const results = await fit({ ...task, validation: emptyRows(0, 3, ['place']) }, silent);
    expect(results.map(({ validationLoss }) => validationLoss)).toEqual([null, null]);
  });
});

describe('a training that diverges', () => {
  it('fails by name, with the epoch and the learning rate', async () => {
    const task = learnableTask({ epochs: 3 }, REGRESSION);
    task.train.dense[5] = NaN;
    await expect(fit(task, silent)).rejects.toThrow(DivergedError);
    await expect(fit(task, silent)).rejects.toMatchObject({ epoch: 1, learningRate: 0.01 });
  });

  it('fails also where only the validation rows show it', async () => {
    const task = learnableTask({ epochs: 1 }, REGRESSION);
    task.validation.targets[5] = NaN;
    await expect(fit(task, silent)).rejects.toThrow(DivergedError);
  });
});

describe('memory', () => {
  it('holds no tensors more than before, whether training succeeds or fails', async () => {
    const good = learnableTask({ epochs: 3, patience: 1, dropout: 0.1 });
    const bad = learnableTask({ epochs: 1 }, REGRESSION);
    bad.train.dense[5] = NaN;
    const before = tf.memory().numTensors;
    await fit(good, silent);
    await expect(fit(bad, silent)).rejects.toThrow(DivergedError);
    await predict(good, good.validation);
    expect(tf.memory().numTensors).toBe(before);
  });
});
