import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from '../../errors.ts';
import type { Binaries } from './binaries.ts';
import type { Folders } from './folders.ts';
import { isServerOf, readPostmaster, type Postmaster } from './postmaster-file.ts';
import { isRunning } from './process-identity.ts';
import type { ServerAccount } from './server-account.ts';

/** PostgreSQL's own parameters, given on the command line, where they win over the data folder's `postgresql.conf`. */
export type ServerSettings = Record<string, string>;

/** The least of the environment: nothing of ours may change how the server behaves. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const POLL_MILLISECONDS = 5;

/** Longest wait for a server to be ready: it may have to replay its log after a crash. */
const READY_MILLISECONDS = 120_000;

/** Longest wait for each of the three ways to stop. */
const STOP_MILLISECONDS = 30_000;

/** What a laptop can spare and a day's predictions need; the log is kept for a week, a file a day. */
export function serverSettings(folders: Folders, overrides: ServerSettings): ServerSettings {
  return {
    listen_addresses: '',
    unix_socket_directories: folders.socket,
    unix_socket_permissions: '0700',
    max_connections: '100',
    shared_buffers: '64MB',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    logging_collector: 'on',
    log_directory: folders.log,
    log_filename: 'postgresql-%a.log',
    log_rotation_age: '1d',
    log_rotation_size: '0',
    log_truncate_on_rotation: 'on',
    log_min_messages: 'warning',
    ...overrides,
  };
}

/**
 * Starts a server that outlives us: a platform that is killed must not take the server with it in the middle of a write, and Ctrl-C at the
 * terminal is for the platform alone, which stops the server last.
 */
export async function spawnServer(
  folders: Folders,
  {
    binaries,
    account,
    settings,
  }: { binaries: Binaries; account: ServerAccount | undefined; settings: ServerSettings },
): Promise<ChildProcess> {
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const output = await open(join(folders.home, 'start.log'), 'w');
  try {
    const child = spawn(binaries.postgres, ['-D', folders.data, ...parameters], {
      ...account,
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    // Reported by the wait for readiness, which sees that there is no such process.
    child.on('error', () => undefined);
    child.unref();
    return child;
  } finally {
    await output.close();
  }
}

/**
 * Waits until the server of the data folder accepts connections. `isGone` says that it never will.
 * @throws EmbeddedPostgresError with the end of its log
 */
export async function waitUntilReady(folders: Folders, isGone: () => Promise<boolean>): Promise<Postmaster> {
  for (let waited = 0; waited < READY_MILLISECONDS; waited += POLL_MILLISECONDS) {
    const postmaster = await readPostmaster(folders.data);
    if (postmaster?.status === 'ready' && (await isServerOf(folders.data, postmaster.pid))) return postmaster;
    if (await isGone()) {
      throw new EmbeddedPostgresError('did not start', {
        folder: folders.home,
        log: await endOfLog(folders),
      });
    }
    await pause(POLL_MILLISECONDS);
  }
  const problem = `was not ready after ${READY_MILLISECONDS / 1000} s`;
  throw new EmbeddedPostgresError(problem, { folder: folders.home, log: await endOfLog(folders) });
}

/**
 * Stops a server: first the fast way (open transactions are rolled back, a checkpoint is written), then at once (the log is replayed at the next
 * start), at last by force.
 * @throws EmbeddedPostgresError when even that does not help
 */
export async function stopServer(folders: Folders, pid: number): Promise<void> {
  if (!(await isServerOf(folders.data, pid))) return;
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    sendSignal(pid, signal);
    if (await waitUntilGone(pid)) return;
  }
  throw new EmbeddedPostgresError(`(process ${pid}) does not stop`, { folder: folders.home });
}

async function waitUntilGone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < STOP_MILLISECONDS; waited += POLL_MILLISECONDS) {
    if (!(await isRunning(pid))) return true;
    await pause(POLL_MILLISECONDS);
  }
  return false;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The last lines of what the server said: in its own log, and where it says what keeps it from having one. */
async function endOfLog(folders: Folders): Promise<string> {
  const files = await readdir(folders.log).catch(() => []);
  const paths = [...files.map((file) => join(folders.log, file)), join(folders.home, 'start.log')];
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.join('').trim().split('\n').slice(-12).join('\n');
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
