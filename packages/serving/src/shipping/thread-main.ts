import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadSetup } from './messages.ts';

/** Where the processors are all taken, a thread of this niceness has a third of one that answers requests. */
const NICENESS = 5;

/** Lets requests go first. Linux has a niceness for each thread; elsewhere it would be that of the process. */
function stepBack(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS);
  } catch {
    // Without /proc, or where it is forbidden, shipping has as much of the processor as everyone.
  }
}

/** The program of the thread that ships. Its libraries take half a second to load: they too are loaded when nobody else wants the processor. */
if (parentPort !== null) {
  stepBack();
  const { ShippingThread } = await import('./shipping-thread.ts');
  new ShippingThread(parentPort, workerData as ThreadSetup);
}
