import type { FromProcess, ToProcess } from './messages.ts';
import { ServingProcess } from './serving-process.ts';

/** The program of a serving process. */
const serving = new ServingProcess(
  (message) => process.connected && process.send?.(message),
  (code) => process.exit(code),
);
process.on('message', (message: ToProcess) => void serving.take(message));
process.send?.({ kind: 'ready' } satisfies FromProcess);
// Whoever started this one is gone: so is its port.
process.once('disconnect', () => void serving.stop());
// A signal from the terminal goes to every process of the group; the one that started this one says when to stop.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
