import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { PerennialError } from '@perennial/contract';
import { ModelRefusedError } from '../../../errors.ts';
import type { TrialAssignment, TrialReport } from '../trial.ts';

/** The process that tries one file: it is told of it in a message, answers in one, and ends when its starter does. */
process.once('message', (assignment) => void attempt(assignment as TrialAssignment));
process.once('disconnect', () => process.exit(0));
offerToOutOfMemoryKiller();
report({ kind: 'ready' });

async function attempt({ memoryLimit, ...trial }: TrialAssignment): Promise<void> {
  new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { parent: process.ppid, memoryLimit },
  });
  try {
    const { runTrial } = await import('./run-trial.ts');
    report({ kind: 'taken', tried: await runTrial(trial) });
  } catch (error) {
    report({ kind: 'refused', reason: reasonOf(error) });
  }
}

function report(message: TrialReport): void {
  process.send?.(message);
}

function reasonOf(error: unknown): string {
  if (error instanceof ModelRefusedError) return error.reason;
  if (error instanceof PerennialError) return error.message;
  return `it could not be tried (${String(error).slice(0, 300)})`;
}

/** Where the machine runs out of memory, Linux is to end this process and not the platform. */
function offerToOutOfMemoryKiller(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // No Linux: there the limits alone protect the platform.
  }
}
