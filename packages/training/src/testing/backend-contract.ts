import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingBackend } from '../backends/backend.ts';
import { fit } from '../fit/fit.ts';
import { learnableTask } from './learnable-task.ts';

/** What every training backend must do. One backend per test file, as TensorFlow.js has one at a time in a process. */
export function testBackend(backend: TrainingBackend): void {
  describe(`the ${backend.name} backend`, () => {
    let device = '';
    beforeAll(async () => {
      device = await backend.start();
    });

    it('says what it computes on', () => {
      expect(device).toMatch(/^(CPU|GPU|NVIDIA GPU)/);
    });

    it('learns embeddings and dense layers together', async () => {
      const task = learnableTask({ epochs: 4 });
      const results = await fit(task, () => undefined);
      expect(results).toHaveLength(4);
      expect(results.at(-1)!.loss).toBeLessThan(results[0]!.loss * 0.8);
    });

    it('gives the same weights for the same data and seed, bit for bit', async () => {
      const trained = async () => {
        const task = learnableTask({ epochs: 2 });
        await fit(task, () => undefined);
        return task.model.getWeights().map((weight) => [...weight.dataSync()]);
      };
      expect(await trained()).toEqual(await trained());
    });

    it('holds no more tensors after a fit than before', async () => {
      const task = learnableTask({ epochs: 2, patience: 1 });
      const before = tf.memory().numTensors;
      await fit(task, () => undefined);
      expect(tf.memory().numTensors).toBe(before);
    });
  });
}
