import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedPostgresError, FolderInUseError } from '../../errors.ts';
import {
  spawnPlatform,
  type PlatformProcess,
  type PlatformProcessOptions,
} from '../../testing/platform-process.ts';
import { connectionOptions } from '../address.ts';
import { withConnection } from '../connection.ts';
import { findNativeFolder } from './binaries.ts';
import { isRunning } from './process-identity.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './start.ts';

const asRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };

/** One set of data for all tests that only need some: making it takes longer than most of them. */
let prepared: string;
let root: string;
let folder: string;
let servers: EmbeddedPostgres[];
let platforms: PlatformProcess[];

beforeAll(async () => {
  prepared = await newRoot();
  await (await startEmbeddedPostgres({ folder: join(prepared, 'postgres') })).stop();
});
afterAll(() => rm(prepared, { recursive: true, force: true }));
beforeEach(async () => {
  root = await newRoot();
  folder = join(root, 'postgres');
  servers = [];
  platforms = [];
});
afterEach(async () => {
  for (const platform of platforms) await end(platform);
  for (const server of servers) await server.stop();
  await rm(root, { recursive: true, force: true });
});

/** mkdtemp's own mode keeps out the user that the server runs as when the tests are run by root. */
async function newRoot(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'perennial-embedded-'));
  await chmod(path, 0o711);
  return path;
}

function useData(): void {
  execFileSync('cp', ['-a', join(prepared, 'postgres'), folder]);
}

async function start(options: { log?: (message: string) => void } = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder, systemFolder: join(root, 'system'), ...options });
  servers.push(server);
  return server;
}

async function startElsewhere(options: Partial<PlatformProcessOptions> = {}) {
  const platform = await spawnPlatform({ folder, ...options });
  platforms.push(platform);
  if (platform.report.error !== undefined) throw new Error(platform.report.error.message);
  return { ...platform, report: platform.report };
}

/** Also the server that a killed platform leaves, if nobody has taken it over. */
async function end(platform: PlatformProcess): Promise<void> {
  await platform.kill();
  if (platform.report.error !== undefined) return;
  const { pid, url } = platform.report;
  if (await isRunning(pid)) process.kill(pid, 'SIGQUIT');
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  await rm(socketFolder(url), { recursive: true, force: true });
}

const socketFolder = (url: string) => new URL(url).searchParams.get('host') ?? '';

async function write(url: string): Promise<string> {
  const id = randomUUID();
  const text = `create table kept (id text); insert into kept values ('${id}')`;
  await withConnection(connectionOptions({ url }), (sql) => sql.unsafe(text));
  return id;
}

async function read(url: string): Promise<unknown> {
  const [row] = await withConnection(connectionOptions({ url }), (sql) => sql`select id from kept`);
  return row?.['id'];
}

describe('an embedded PostgreSQL', () => {
  it('starts in a new folder, keeps its rows over a stop, and leaves nothing running', async () => {
    const first = await start();
    const id = await write(first.url);
    await first.stop();
    await first.stop();
    expect(await isRunning(first.pid)).toBe(false);
    await expect(stat(first.connection.folder)).rejects.toMatchObject({ code: 'ENOENT' });
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await read(second.url)).toBe(id);
  });

  it('listens on a socket that nobody else can reach, and on no port', async () => {
    useData();
    const { connection, url } = await start();
    expect((await stat(connection.folder)).mode & 0o777).toBe(0o700);
    const [settings] = await withConnection(connectionOptions({ url }), (sql) => {
      return sql`
        select current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync, current_setting('timezone') as zone,
          current_setting('server_encoding') as encoding, (select datcollate from pg_database where datname = current_database()) as locale`;
    });
    expect(settings).toEqual({ addresses: '', fsync: 'on', zone: 'UTC', encoding: 'UTF8', locale: 'C' });
  });

  it('is taken over, with its rows, when the platform that started it was killed', async () => {
    useData();
    const killed = await startElsewhere();
    const id = await write(killed.report.url);
    await killed.kill();
    const messages: string[] = [];
    const server = await start({ log: (message) => messages.push(message) });
    expect(server).toMatchObject({ adopted: true, pid: killed.report.pid });
    expect(await read(server.url)).toBe(id);
    expect(messages).toHaveLength(1);
    await server.stop();
    expect(await isRunning(killed.report.pid)).toBe(false);
  });

  it('has every committed row after platform and server were killed', async () => {
    useData();
    const killed = await startElsewhere();
    const id = await write(killed.report.url);
    await killed.kill();
    process.kill(killed.report.pid, 'SIGKILL');
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(await read(server.url)).toBe(id);
  });

  it('is stopped and started anew when it was left behind and cannot be reached', async () => {
    useData();
    const killed = await startElsewhere();
    const id = await write(killed.report.url);
    await killed.kill();
    await rm(socketFolder(killed.report.url), { recursive: true });
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(await isRunning(killed.report.pid)).toBe(false);
    expect(await read(server.url)).toBe(id);
  });

  it('refuses a second platform on its folder, and names the first', async () => {
    useData();
    const first = await startElsewhere();
    const refused = start();
    await expect(refused).rejects.toBeInstanceOf(FolderInUseError);
    await expect(refused).rejects.toMatchObject({ owner: { pid: first.pid } });
    expect(await isRunning(first.report.pid)).toBe(true);
    await write(first.report.url);
  });

  it('starts when the pid in a left-over note is now that of another program', async () => {
    useData();
    const note = `${process.pid}\n${folder}/data\n1\n5432\n/tmp\n\n1 1\nready   \n`;
    await writeFile(join(folder, 'data', 'postmaster.pid'), note);
    expect((await start()).adopted).toBe(false);
  });

  it('sets up its data from the beginning when the first attempt was cut short', async () => {
    await mkdir(join(folder, 'data.new-1', 'base'), { recursive: true });
    const { home } = await start();
    expect((await readdir(home)).filter((name) => name.startsWith('data'))).toEqual(['data']);
  });

  it('says what is wrong when it does not start, and gives the folder back', async () => {
    useData();
    const configuration = join(folder, 'data', 'postgresql.conf');
    await writeFile(configuration, 'work_mem = lots\n');
    const failed = start();
    await expect(failed).rejects.toBeInstanceOf(EmbeddedPostgresError);
    await expect(failed).rejects.toThrow(/work_mem/);
    await writeFile(configuration, '');
    await expect(start()).resolves.toMatchObject({ adopted: false });
  });

  it('refuses the data of another major version', async () => {
    await mkdir(join(folder, 'data'), { recursive: true });
    await writeFile(join(folder, 'data', 'PG_VERSION'), '12\n');
    await expect(start()).rejects.toThrow(/PostgreSQL 12/);
  });
});

describe.runIf(asRoot)('started by root', () => {
  it('runs as nobody, in the folder when nobody can reach it', async () => {
    useData();
    const server = await start();
    expect(server.home).toBe(folder);
    expect((await stat(`/proc/${server.pid}`)).uid).toBe(NOBODY.uid);
    expect((await stat(join(folder, 'data'))).uid).toBe(NOBODY.uid);
  });

  it('keeps its data in the system folder when nobody cannot reach the folder, and finds it there again', async () => {
    await mkdir(join(root, 'home'), { mode: 0o700 });
    folder = join(root, 'home', 'postgres');
    const server = await start();
    expect(server.home.startsWith(join(root, 'system'))).toBe(true);
    const id = await write(server.url);
    await server.stop();
    expect(await read((await start()).url)).toBe(id);
  });

  it('begins anew where the folder was deleted, whatever of it is left in the system folder', async () => {
    await mkdir(join(root, 'home'), { mode: 0o700 });
    folder = join(root, 'home', 'postgres');
    const first = await start();
    await first.stop();
    await rm(folder, { recursive: true });
    const second = await start();
    expect(second.home).not.toBe(first.home);
    const id = await write(second.url);
    await second.stop();
    const third = await start();
    expect(third.home).toBe(second.home);
    expect(await read(third.url)).toBe(id);
  });
});

describe.runIf(asRoot)('started by an ordinary user', () => {
  beforeEach(async () => {
    await mkdir(folder, { mode: 0o700 });
    await chown(folder, NOBODY.uid, NOBODY.gid);
  });

  it('runs as that user, in the folder, and is taken over by the same user', async () => {
    const first = await startElsewhere({ account: NOBODY });
    expect(first.report).toMatchObject({ home: folder, adopted: false });
    expect((await stat(`/proc/${first.report.pid}`)).uid).toBe(NOBODY.uid);
    await first.kill();
    const second = await startElsewhere({ account: NOBODY });
    expect(second.report).toMatchObject({ pid: first.report.pid, adopted: true });
  });

  it('runs from a copy when the package lacks its links and cannot be written to', async () => {
    const native = join(root, 'package', 'native');
    const { native: installed } = await findNativeFolder();
    const filter = async (path: string) => !path.endsWith('.a') && !(await lstat(path)).isSymbolicLink();
    await cp(installed, native, { recursive: true, filter });
    await startElsewhere({ account: NOBODY, native });
    expect((await readdir(folder)).some((name) => name.startsWith('postgresql-'))).toBe(true);
  });
});
