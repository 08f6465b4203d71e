import { readFileSync } from 'node:fs';

/** How often the memory is looked at: what a process can take in between is some 100 MB. */
const INTERVAL = 100;

/**
 * Watches the resident memory of a process, where the system tells it under `/proc` (Linux): limits of the shell's kind count address
 * space, of which V8 reserves far more than it uses.
 *
 * @returns what ends the watch
 */
export function watchMemory(pid: number, limit: number, onAbove: () => void): () => void {
  const timer = setInterval(() => {
    if (residentBytes(pid) > limit) onAbove();
  }, INTERVAL);
  return () => clearInterval(timer);
}

/** 0 where it cannot be known: no Linux, or a process that has ended. */
function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
