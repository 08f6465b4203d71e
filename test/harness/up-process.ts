import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const PERENNIAL = fileURLToPath(new URL('../../packages/cli/bin/perennial.js', import.meta.url));

export interface Resources {
  residentBytes: number;
  threads: number;
  /** Files, sockets and pipes. */
  openFiles: number;
  /** Processes that it has started and that still live. */
  children: number;
}

/** `perennial up` in a process of its own, as a person starts it. */
export class UpProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = '';
  errors = '';

  constructor(...options: string[]) {
    const env = { ...process.env, DATABASE_URL: '', PERENNIAL_LOG_LEVEL: 'info' };
    this.#child = spawn(process.execPath, [PERENNIAL, 'up', '--port', '0', ...options], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    this.ended = once(this.#child, 'close').then(([status]) => status as number | null);
  }

  /** Where it answers, once it does. */
  async url(): Promise<string> {
    for (;;) {
      const url = /^Perennial is up at (\S+)/m.exec(this.out)?.[1];
      if (url !== undefined) return url;
      const data = once(this.#child.stdout ?? this.#child, 'data');
      const ended = this.ended.then(() => {
        throw new Error(`It ended before it was up: ${this.errors.slice(-2_000)}`);
      });
      await Promise.race([data, ended]);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What it takes of the machine right now; not to be had without /proc. */
  async resources(): Promise<Resources> {
    const status = await this.#status();
    return {
      residentBytes: numberIn(status, 'VmRSS') * 1024,
      threads: numberIn(status, 'Threads'),
      openFiles: (await readdir(`/proc/${this.#child.pid}/fd`)).length,
      children: (await this.children()).length,
    };
  }

  /** The most memory that it has taken so far, in bytes; NaN where the system does not tell (no Linux). */
  async peakResidentBytes(): Promise<number> {
    return numberIn(await this.#status(), 'VmHWM') * 1024;
  }

  #status(): Promise<string> {
    return readFile(`/proc/${this.#child.pid}/status`, 'utf8').catch(() => '');
  }

  /** The processes it has started, the database's among them. */
  async children(): Promise<number[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const own = await Promise.all(
      pids.map(async (pid) => ((await parentOf(pid)) === this.#child.pid ? [Number(pid)] : [])),
    );
    return own.flat();
  }
}

/** A number of /proc/<pid>/status; NaN where it is not there. */
function numberIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}

/** The fourth field of /proc/<pid>/stat, behind a name in brackets that may hold anything. */
async function parentOf(pid: string): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[1] === undefined ? undefined : Number(fields[1]);
}

/** Whether a process is there. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
