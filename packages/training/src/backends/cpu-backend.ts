import '@tensorflow/tfjs-backend-cpu';
import type { TrainingBackend } from './backend.ts';
import { startRegistered } from './start-backend.ts';

/** Plain JavaScript: there on every machine, and slow. */
export const cpuBackend: TrainingBackend = {
  name: 'cpu',
  async start() {
    await startRegistered('cpu', 'cpu');
    return 'CPU (JavaScript)';
  },
};
