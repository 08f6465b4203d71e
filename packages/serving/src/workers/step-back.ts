import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

/** Where the processors are all taken, a thread of this niceness has a third of one that answers requests. */
const NICENESS = 5;

/** Lets the threads that answer requests go before the one that calls this. Linux has a niceness for each thread; elsewhere it would be that of the process. */
export function stepBack(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS);
  } catch {
    // Without /proc, or where it is forbidden, this thread has as much of the processor as everyone.
  }
}
