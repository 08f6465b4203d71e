import { arch, availableParallelism, cpus, totalmem } from 'node:os';
import type { TrainingResult } from '@perennial/contract';

/** What this process runs on. Cores and memory are those that it may use: in a container fewer than the machine has. */
export function hardware(): TrainingResult['hardware'] {
  const [first] = cpus();
  // Some ARM machines and sandboxes do not name their processor.
  const cpu = first === undefined || first.model.trim() === '' ? arch() : first.model.trim();
  const limit = process.constrainedMemory() ?? 0;
  const memoryBytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { cpu, cores: availableParallelism(), memoryBytes, node: process.version };
}
