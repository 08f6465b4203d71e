import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { MEMORY_EXCEEDED } from '../trial.ts';

/**
 * Ends this process when the one that started it is gone, or when it takes too much memory. It runs on a thread of its own: a model that computes for ever holds the main
 * thread, where the end of the channel would never be seen, and a platform that is killed would leave it behind.
 */
const { parent, memoryLimit } = workerData as { parent: number; memoryLimit: number };

const INTERVAL = 100;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  if (process.memoryUsage.rss() <= memoryLimit) return;
  writeSync(2, `${MEMORY_EXCEEDED}\n`);
  process.kill(process.pid, 'SIGKILL');
}, INTERVAL);
