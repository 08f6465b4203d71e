import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from '../../errors.ts';
import type { Binaries } from './binaries.ts';
import type { Folders } from './folders.ts';
import type { ServerAccount } from './server-account.ts';
import { SERVER_ENVIRONMENT } from './server-process.ts';

/** The only role of the embedded server: whoever reaches the socket is it. */
export const SERVER_USER = 'perennial';

/**
 * Makes the data folder where there is none. It is made under another name and renamed, so that a crash on the way leaves no half folder.
 * @returns whether it was made
 * @throws EmbeddedPostgresError when it cannot be made, or was made by another major version of PostgreSQL
 */
export async function prepareDataFolder(
  folders: Folders,
  { binaries, account, major }: { binaries: Binaries; account: ServerAccount | undefined; major: string },
): Promise<boolean> {
  await checkVersion(folders, major);
  if ((await stat(folders.data).catch(() => undefined)) !== undefined) return false;
  await removeUnfinished(folders.data);
  const work = `${folders.data}.new-${process.pid}`;
  await mkdir(work, { mode: 0o700 });
  if (account) await chown(work, account.uid, account.gid);
  await initdb(work, { home: folders.home, binaries, account });
  await rename(work, folders.data);
  return true;
}

async function checkVersion(folders: Folders, major: string): Promise<void> {
  const found = (await readFile(join(folders.data, 'PG_VERSION'), 'utf8').catch(() => major)).trim();
  if (found === major) return;
  const problem = `was made by PostgreSQL ${found}, and this version of Perennial brings ${major}; dump it with the old version and load it with the new`;
  throw new EmbeddedPostgresError(problem, { folder: folders.home });
}

async function removeUnfinished(data: string): Promise<void> {
  const parent = dirname(data);
  const left = (await readdir(parent)).filter((name) => name.startsWith(`${basename(data)}.new-`));
  for (const name of left) await rm(join(parent, name), { recursive: true, force: true });
}

/** Locale C: the order of texts is that of their bytes, the same on every machine and in every later version. */
function initdb(
  work: string,
  { home, binaries, account }: { home: string; binaries: Binaries; account: ServerAccount | undefined },
): Promise<void> {
  const parameters = [`--pgdata=${work}`, `--username=${SERVER_USER}`, '--encoding=UTF8', '--locale=C'];
  const access = ['--auth-local=trust', '--auth-host=reject', '--no-instructions'];
  return new Promise((resolve, reject) => {
    const options = { ...account, cwd: '/', env: SERVER_ENVIRONMENT };
    execFile(binaries.initdb, [...parameters, ...access], options, (error, stdout, stderr) => {
      if (error === null) resolve();
      else
        reject(
          new EmbeddedPostgresError('could not be set up', {
            folder: home,
            log: stderr || stdout,
            cause: error,
          }),
        );
    });
  });
}
