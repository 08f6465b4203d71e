import { loadBackend, tf } from '../tensorflow.ts';
import { installWasmKernels } from '../wasm/install-kernels.ts';
import type { TrainingBackend } from './backend.ts';
import { startRegistered } from './start-backend.ts';

/** WebAssembly with XNNPACK on one core: nothing to install, and for small networks as fast as native TensorFlow. */
export const wasmBackend: TrainingBackend = {
  name: 'wasm',
  async start() {
    loadBackend('@tensorflow/tfjs-backend-wasm');
    installWasmKernels();
    await startRegistered('wasm', 'wasm');
    const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
    return simd === true ? 'CPU (WebAssembly with SIMD)' : 'CPU (WebAssembly)';
  },
};
