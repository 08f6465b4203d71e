import type { TrainingBackend } from './backend.ts';
import { BackendUnavailableError } from '../errors.ts';
import { importOptional, startRegistered } from './start-backend.ts';

interface DawnModule {
  /** The constructors and constants that a browser has as globals. */
  globals: object;
  create(options: string[]): GpuEntry;
}

interface GpuEntry {
  requestAdapter(): Promise<{ info?: { description?: string; vendor?: string } } | null>;
}

/** WebGPU outside a browser, through Dawn (the packages `webgpu` and `@tensorflow/tfjs-backend-webgpu`): Vulkan, Metal or Direct3D 12. */
export const webgpuBackend: TrainingBackend = {
  name: 'webgpu',
  async start() {
    const dawn = (await importOptional('webgpu', 'webgpu')) as unknown as DawnModule;
    const gpu = dawn.create([]);
    const adapter = await gpu.requestAdapter();
    if (adapter === null) throw new BackendUnavailableError('webgpu', 'Dawn finds no graphics adapter.');
    actAsBrowser(dawn.globals, gpu);
    await importOptional('webgpu', '@tensorflow/tfjs-backend-webgpu');
    await startRegistered('webgpu', 'webgpu');
    const { description, vendor } = adapter.info ?? {};
    return `GPU (${description || vendor || 'WebGPU'})`;
  },
};

/** The backend looks for WebGPU where a browser has it. */
function actAsBrowser(globals: object, gpu: GpuEntry): void {
  Object.assign(globalThis, globals);
  // Node has a navigator of its own from release 21 on.
  const { navigator = {} } = globalThis as { navigator?: object };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}
