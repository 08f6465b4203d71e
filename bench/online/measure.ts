import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runLoad } from '../load/run-load.ts';
import type { LoadResult } from '../load/load.ts';
import { benchBody } from './network.ts';
import type { RealServer } from './real-server.ts';

export interface BareServer {
  url: string;
  pid: number;
  close: () => void;
}

/** The bare handler, in a process of its own. */
export async function startBareServer(): Promise<BareServer> {
  const program = fileURLToPath(new URL('./bare-server.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const url of createInterface({ input: child.stdout }))
    return { url, pid: child.pid ?? 0, close: () => child.kill() };
  throw new Error('The bare server did not come up.');
}

/** Bodies of one row each, not all the same. */
export const ONE_ROW_BODIES = Array.from({ length: 100 }, (_, row) => benchBody(1, row));

/** Ticks of the kernel's clock in a second, as /proc tells times; 100 on every Linux that Node.js runs on. */
const TICKS = 100;

/** Microseconds of processor time that a process has taken, in user and kernel mode; NaN where the system does not tell (no Linux). It does not hang on what else the machine does. */
export function processorMicroseconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6;
  } catch {
    return NaN;
  }
}

export interface LoadPlan {
  connections: number;
  seconds: number;
  rate?: number;
}

/** One row a request, as fast as answers come or at a rate. */
export function loadOf(
  server: Pick<RealServer, 'url' | 'path' | 'headers'>,
  { connections, seconds, rate }: LoadPlan,
): Promise<LoadResult> {
  return runLoad({
    url: server.url,
    path: server.path,
    headers: server.headers,
    bodies: ONE_ROW_BODIES,
    connections,
    durationSeconds: seconds,
    warmupSeconds: 1,
    ...(rate === undefined ? {} : { rate }),
  });
}
