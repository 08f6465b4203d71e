import { readFileSync } from 'node:fs';

/** Resident memory of a process in bytes; 0 where it cannot be known: no Linux, or a process that has ended. */
export function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
