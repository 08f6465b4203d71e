import { loadBackend } from '../tensorflow.ts';
import type { TrainingBackend } from './backend.ts';
import { startRegistered } from './start-backend.ts';

/** Plain JavaScript: there on every machine, and slow. */
export const cpuBackend: TrainingBackend = {
  name: 'cpu',
  async start() {
    loadBackend('@tensorflow/tfjs-backend-cpu');
    await startRegistered('cpu', 'cpu');
    return 'CPU (JavaScript)';
  },
};
