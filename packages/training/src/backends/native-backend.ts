import { tf } from '../tensorflow.ts';
import type { TrainingBackend } from './backend.ts';
import { importOptional, startRegistered } from './start-backend.ts';

/**
 * TensorFlow's own library through `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu`, optional packages both. The GPU's one
 * silently computes on the CPU where it finds no device, so the device it says it uses is asked for.
 */
export function nativeBackend(name: 'tfjs-node' | 'tfjs-node-gpu'): TrainingBackend {
  return {
    name,
    async start() {
      await restoreRemovedNodeApi();
      await importOptional(name, `@tensorflow/${name}`);
      await startRegistered(name, 'tensorflow');
      return usesGpu(tf.backend()) ? 'NVIDIA GPU (CUDA)' : 'CPU (TensorFlow)';
    },
  };
}

function usesGpu(native: object): boolean {
  return 'isUsingGpuDevice' in native && native.isUsingGpuDevice === true;
}

/**
 * tfjs-node 4.22 calls `util.isNullOrUndefined`, which Node 23 took away; without it every operation throws.
 *
 * @see https://github.com/tensorflow/tfjs/issues/8609
 */
async function restoreRemovedNodeApi(): Promise<void> {
  const { default: util } = (await import('node:util')) as unknown as { default: Record<string, unknown> };
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
}
