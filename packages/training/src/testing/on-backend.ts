import * as tf from '@tensorflow/tfjs-core';
// Brings the gradients along, which the core alone has not.
import '@tensorflow/tfjs-layers';
import { cpuBackend } from '../backends/cpu-backend.ts';
import { wasmBackend } from '../backends/wasm-backend.ts';

const BACKENDS = { cpu: cpuBackend, wasm: wasmBackend };

/** What a computation gives on one backend. Switches the process to it. */
export async function onBackend(name: keyof typeof BACKENDS, compute: () => tf.Tensor): Promise<number[]> {
  await BACKENDS[name].start();
  return tf.tidy(() => [...compute().dataSync()]);
}

/** Largest difference between what the wasm backend and the plain JavaScript one give, relative to the largest number. */
export async function wasmError(compute: () => tf.Tensor): Promise<number> {
  const expected = await onBackend('cpu', compute);
  const found = await onBackend('wasm', compute);
  if (found.length !== expected.length) return Infinity;
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - found[i]!))) / scale;
}
