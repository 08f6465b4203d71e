import type { BackendName } from '@perennial/contract';

/** Whether a backend can be used on this machine, and what is missing where it cannot. */
export interface BackendReport {
  name: BackendName;
  usable: boolean;
  /** What it computes on: `NVIDIA GPU (CUDA)`, `CPU (WebAssembly with SIMD)`; `null` where it is not usable. */
  device: string | null;
  /** What has to be there for it to be used; `null` where it is usable. */
  missing: string | null;
}

/** One way to run TensorFlow.js. */
export interface TrainingBackend {
  readonly name: BackendName;
  /**
   * Makes TensorFlow.js compute on this backend, for the rest of the process.
   *
   * @returns the device that is really used
   * @throws BackendUnavailableError naming what is missing
   */
  start(): Promise<string>;
}
