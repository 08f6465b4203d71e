import { readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isRunning } from './process-identity.ts';

const run = promisify(execFile);

/** What a server writes about itself into its data folder (`postmaster.pid`; PostgreSQL's source, `miscadmin.h`). */
export interface Postmaster {
  pid: number;
  socketFolder: string;
  /** `starting`, `ready`, `stopping`, `standby`; empty until the server has come so far. */
  status: string;
}

/** The server's own note, or nothing when there is none or it is not written to the end yet. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, socketFolder: lines[4]?.trim() ?? '', status: lines[7]?.trim() ?? '' };
}

/**
 * Whether the process of the note is indeed a server on this data folder: after a reboot its pid may be anyone's, and a copied folder brings its
 * original's note with it. A server works in its data folder, which on Linux also holds when the folder was renamed under it.
 */
export async function isServerOf(data: string, pid: number): Promise<boolean> {
  if (!(await isRunning(pid))) return false;
  if (process.platform === 'linux') {
    const [folder, own] = await Promise.all([readlink(`/proc/${pid}/cwd`).catch(() => ''), realpath(data)]);
    return folder === own;
  }
  const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.includes(data);
}
