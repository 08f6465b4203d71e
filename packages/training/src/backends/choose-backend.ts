import type { BackendName } from '@perennial/contract';
import { BackendUnavailableError } from '../errors.ts';
import type { BackendReport, TrainingBackend } from './backend.ts';
import { cpuBackend } from './cpu-backend.ts';
import { nativeBackend } from './native-backend.ts';
import { wasmBackend } from './wasm-backend.ts';
import { webgpuBackend } from './webgpu-backend.ts';

export const BACKENDS: Record<BackendName, TrainingBackend> = {
  'tfjs-node-gpu': nativeBackend('tfjs-node-gpu'),
  webgpu: webgpuBackend,
  'tfjs-node': nativeBackend('tfjs-node'),
  wasm: wasmBackend,
  cpu: cpuBackend,
};

/**
 * What `auto` tries, best first. The order is fixed rather than measured: the weights depend on the backend bit for bit, and a choice by
 * stopwatch would now and then give the same data another artifact. WebGPU has to be asked for, since a tabular network's small steps
 * are slower there than on one CPU core.
 */
const AUTOMATIC: readonly BackendName[] = ['tfjs-node-gpu', 'tfjs-node', 'wasm', 'cpu'];

export interface StartedBackend {
  name: BackendName;
  device: string;
}

/**
 * Starts the backend asked for, or the first of the automatic order that can be used here.
 *
 * @throws BackendUnavailableError when the one asked for cannot be used
 */
export async function startBackend(wanted: BackendName | 'auto'): Promise<StartedBackend> {
  if (wanted !== 'auto') return { name: wanted, device: await BACKENDS[wanted].start() };
  for (const name of AUTOMATIC) {
    const device = await BACKENDS[name].start().catch(unlessUnavailable);
    if (device !== null) return { name, device };
  }
  throw new BackendUnavailableError('cpu', 'no backend of TensorFlow.js starts on this machine.');
}

/** Whether one backend can be used in this process. */
export async function probeBackend(name: BackendName): Promise<BackendReport> {
  try {
    return { name, usable: true, device: await BACKENDS[name].start(), missing: null };
  } catch (error) {
    const missing = error instanceof BackendUnavailableError ? error.missing : String(error);
    return { name, usable: false, device: null, missing };
  }
}

function unlessUnavailable(error: unknown): null {
  if (error instanceof BackendUnavailableError) return null;
  throw error;
}
