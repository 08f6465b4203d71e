import { createHash, randomUUID } from 'node:crypto';
import { access, chmod, chown, lstat, mkdir, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgresError } from '../../errors.ts';
import { readOrNothing } from './folder-lock.ts';
import { canEnter, type ServerAccount } from './server-account.ts';

/** Where root keeps what `nobody` must reach when it cannot reach the folder that was asked for (a home of mode 700). */
export const SYSTEM_FOLDER = '/var/lib/perennial';

/** Name of the socket in its folder; fixed, since no TCP port is involved. */
export const SOCKET_PORT = 5432;

/** A socket's path ends at 107 bytes on Linux and 103 on macOS. */
const LONGEST_SOCKET_PATH = 103;

export interface Folders {
  /** The folder that was asked for: the lock is here. */
  asked: string;
  /** The folder that the server lives in: the same, or one in {@link SYSTEM_FOLDER}. */
  home: string;
  data: string;
  log: string;
  /** Holds the socket; readable by nobody but the server's user and root. */
  socket: string;
}

/**
 * Decides and makes the folders.
 * @throws EmbeddedPostgresError when the socket's folder is somebody else's
 */
export async function prepareFolders(
  folder: string,
  { account, systemFolder }: { account: ServerAccount | undefined; systemFolder: string },
): Promise<Folders> {
  const made = await mkdir(folder, { recursive: true });
  const asked = await realpath(folder);
  const reachable = account === undefined || (await canEnter(asked, account));
  const name = reachable
    ? shortHash(asked)
    : await nameElsewhere(asked, { isNew: made !== undefined, systemFolder });
  const home = reachable ? asked : join(systemFolder, name);
  await mkdir(home, { recursive: true, mode: 0o755 });
  const log = join(home, 'log');
  await mkdir(log, { recursive: true, mode: 0o700 });
  if (account) await chown(log, account.uid, account.gid);
  const socket = await prepareSocketFolder(name, { home, account });
  return { asked, home, data: join(home, 'data'), log, socket };
}

/** Says what the folder's data are called in the system folder, where it is not the plain name that the folder's path gives. */
const ELSEWHERE = 'elsewhere';

/**
 * The name in the system folder of what belongs to a folder. One that was deleted and made anew begins anew, under another name that is noted in it, as it does where the data lie in it: it
 * must not come upon a database whose artifacts and keys are gone.
 */
async function nameElsewhere(
  asked: string,
  { isNew, systemFolder }: { isNew: boolean; systemFolder: string },
): Promise<string> {
  const note = join(asked, ELSEWHERE);
  const [noted = '', of] = (await readOrNothing(note))?.split('\n') ?? [];
  // In a copy of the folder it speaks of the original's data.
  if (/^[0-9a-f]{16}$/.test(noted) && of === asked) return noted;
  const plain = shortHash(asked);
  // Whoever comes second to a new folder notes nothing, so that it cannot undo what the first has noted.
  if (!isNew || !(await isThere(join(systemFolder, plain)))) return plain;
  const name = shortHash(`${asked} ${randomUUID()}`);
  await writeFile(note, `${name}\n${asked}\n`, { mode: 0o600 });
  return name;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Everyone may write in the temporary directory, so a folder that is found there is only used when it is ours alone. */
async function prepareSocketFolder(
  name: string,
  { home, account }: { home: string; account: ServerAccount | undefined },
): Promise<string> {
  const path = join(await socketParent(account), `perennial-${name}`);
  await mkdir(path, { mode: 0o700 }).then(
    () => account && chown(path, account.uid, account.gid),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  const found = await lstat(path);
  const owner = account?.uid ?? process.getuid?.();
  if (!found.isDirectory() || (found.uid !== owner && found.uid !== process.getuid?.())) {
    throw new EmbeddedPostgresError(`needs ${path} for its socket, which belongs to another user`, {
      folder: home,
    });
  }
  if (account) await chown(path, account.uid, account.gid);
  await chmod(path, 0o700);
  return path;
}

async function socketParent(account: ServerAccount | undefined): Promise<string> {
  const parent = tmpdir();
  if (parent === '/tmp') return parent;
  const longest = join(parent, `perennial-${'0'.repeat(16)}`, `.s.PGSQL.${SOCKET_PORT}`);
  const short = Buffer.byteLength(longest) <= LONGEST_SOCKET_PATH;
  const reachable = account === undefined || (await canEnter(parent, account));
  return short && reachable ? parent : '/tmp';
}
