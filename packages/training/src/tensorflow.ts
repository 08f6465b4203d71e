import { createRequire } from 'node:module';
import type * as core from '@tensorflow/tfjs-core';
import type * as layersModule from '@tensorflow/tfjs-layers';

/**
 * TensorFlow.js by `require`: an `import` of these two large CommonJS files first scans them for their exports, which takes 0.35 s of every
 * training process's start against 0.08 s. The modules are the same ones either way.
 */
const load = createRequire(import.meta.url);

export const tf = load('@tensorflow/tfjs-core') as typeof core;
/** Layers and models; brings the gradients of all operations along, which the core alone has not. */
export const tfLayers = load('@tensorflow/tfjs-layers') as typeof layersModule;

/** Registers a backend's kernels with {@link tf}. */
export function loadBackend(name: '@tensorflow/tfjs-backend-cpu' | '@tensorflow/tfjs-backend-wasm'): void {
  load(name);
}
