import { parentPort, workerData } from 'node:worker_threads';
import { stepBack } from '../workers/step-back.ts';
import type { ThreadSetup } from './messages.ts';

/** The program of the thread that ships. Its libraries take half a second to load: they too are loaded when nobody else wants the processor. */
if (parentPort !== null) {
  stepBack();
  const { ShippingThread } = await import('./shipping-thread.ts');
  new ShippingThread(parentPort, workerData as ThreadSetup);
}
