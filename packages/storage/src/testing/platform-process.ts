import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What a platform of its own process said when it had started its database, or had failed to. */
export type PlatformReport =
  | { url: string; pid: number; adopted: boolean; home: string; error?: never }
  | { error: { name: string; message: string } };

export interface PlatformProcess {
  report: PlatformReport;
  pid: number;
  /** As `kill -9` and the out-of-memory killer do it. */
  kill(): Promise<void>;
}

export interface PlatformProcessOptions {
  folder: string;
  native?: string;
  /** Runs as this user and group; only root may ask. */
  account?: { uid: number; gid: number };
}

/** Runs the built package, since a child process of Node 20 cannot run TypeScript. */
const BUILT = new URL('../../dist/index.js', import.meta.url).href;

const SCRIPT = `
  const { startEmbeddedPostgres } = await import(${JSON.stringify(BUILT)});
  try {
    const { url, pid, adopted, home } = await startEmbeddedPostgres(JSON.parse(process.argv[1]));
    console.log(JSON.stringify({ url, pid, adopted, home }));
    setInterval(() => {}, 1000);
  } catch (error) {
    console.log(JSON.stringify({ error: { name: error.name, message: error.message } }));
  }`;

/** Starts an embedded PostgreSQL in a process of its own, which can then be killed. */
export async function spawnPlatform({
  account,
  ...options
}: PlatformProcessOptions): Promise<PlatformProcess> {
  const parameters = ['--input-type=module', '-e', SCRIPT, JSON.stringify(options)];
  const child = spawn(process.execPath, parameters, { ...account, stdio: ['ignore', 'pipe', 'inherit'] });
  const report = JSON.parse(await firstLine(child)) as PlatformReport;
  return {
    report,
    pid: child.pid ?? 0,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('The platform process has no output.');
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error('The platform process ended without a word.');
}
