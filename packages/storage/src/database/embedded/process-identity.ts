import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Names one process for good. A pid alone does not: it is given again after a reboot, and means another process in another container.
 */
export interface ProcessIdentity {
  pid: number;
  /** When the process began, in its system's own words; two processes that have the same pid one after the other differ here. */
  startedAt: string;
  /** The machine, its boot and its pid namespace. */
  machine: string;
}

/** `unknown` is a process of another machine, boot or container: it cannot be looked at from here. */
export type Liveness = 'alive' | 'dead' | 'unknown';

export async function ownIdentity(): Promise<ProcessIdentity> {
  const startedAt = await processStart(process.pid);
  return { pid: process.pid, startedAt: startedAt ?? 'unknown', machine: await machineName() };
}

export async function liveness(identity: ProcessIdentity): Promise<Liveness> {
  if (identity.machine !== (await machineName())) return 'unknown';
  return (await processStart(identity.pid)) === identity.startedAt ? 'alive' : 'dead';
}

/** Whether a process of this pid runs; one that has ended but was not yet waited for by its parent does not. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await processStart(pid)) !== undefined;
}

/**
 * The host name, and on Linux the boot and the pid namespace: containers on one host may share a name.
 */
async function machineName(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return [hostname(), boot.trim().slice(0, 8), namespace.replace(/\D/g, '')].filter(Boolean).join('/');
}

async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return linuxProcessStart(pid);
  const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  const text = stdout.trim();
  return text === '' || text.startsWith('Z') ? undefined : text.replace(/^\S+\s+/, '');
}

/** proc(5): the state is field 3, the start in clock ticks since boot field 22; field 2, the name, may hold spaces and brackets. */
async function linuxProcessStart(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  return stat === '' || state === 'Z' || state === 'X' ? undefined : fields[19];
}
