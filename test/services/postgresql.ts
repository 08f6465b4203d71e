import { execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, stopProcess, untilReady, type Service } from './service.ts';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** Tests may lose their data in a power cut. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: 200 };

interface Account {
  uid: number;
  gid: number;
}

/**
 * Starts a cluster of its own with the newest PostgreSQL that Debian's packages have put on this machine.
 * @throws when there is none
 */
export async function startPostgresql(): Promise<Service> {
  const programs = await programsFolder();
  // PostgreSQL refuses to run as root.
  const account = process.getuid?.() === 0 ? await postgresAccount() : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'perennial-postgresql-'));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C.UTF-8', '-N'];
  await run(join(programs, 'initdb'), initdb, { ...account, cwd: folder });
  const port = await freePort();
  const settings = Object.entries({ ...SETTINGS, listen_addresses: '127.0.0.1' });
  const child = spawn(
    join(programs, 'postgres'),
    [
      '-D',
      data,
      '-p',
      `${port}`,
      '-k',
      folder,
      ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...account, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const stop = async (): Promise<void> => {
    // "Fast" in PostgreSQL's words: sessions are ended, data is flushed.
    await stopProcess(child, 'SIGINT');
    await rm(folder, { recursive: true, force: true });
  };
  const isReady = ['-q', '-h', '127.0.0.1', '-p', `${port}`];
  await untilReady(child, () =>
    run(join(programs, 'pg_isready'), isReady).then(
      () => true,
      () => false,
    ),
  ).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const environment = { DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres` };
  return { environment, pid: child.pid ?? 0, stop };
}

async function programsFolder(): Promise<string> {
  const versions = await readdir(DEBIAN).catch((): string[] => []);
  const newest = versions.filter((version) => /^\d+$/.test(version)).sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined)
    throw new Error(`There is no PostgreSQL in ${DEBIAN}; Debian's package is called postgresql.`);
  return join(DEBIAN, newest, 'bin');
}

/** The account that Debian's package makes. */
async function postgresAccount(): Promise<Account> {
  const ask = async (option: string) => Number((await run('id', [option, 'postgres'])).stdout);
  return { uid: await ask('-u'), gid: await ask('-g') };
}
