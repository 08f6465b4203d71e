import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { FolderInUseError } from '../../errors.ts';
import { liveness, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/** Says that this process, and no other platform, uses a folder. */
export interface FolderLock {
  release(): Promise<void>;
}

/** How often an owner shows that it lives, for those who cannot look at its process (another container, the machine before a reboot). */
const TOUCH_MILLISECONDS = 5_000;

/** An owner that cannot be looked at and was silent for so long is taken for dead. */
const SILENT_MILLISECONDS = 20_000;

const LOCK_FILE = 'owner.json';

/**
 * Takes the folder for this process. A lock whose owner is dead is taken over.
 * @throws FolderInUseError when its owner lives
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const lock = join(folder, LOCK_FILE);
  const own = JSON.stringify(await ownIdentity());
  const candidate = join(folder, `${LOCK_FILE}.${randomUUID()}`);
  await writeFile(candidate, own);
  try {
    while (!(await tryLink(candidate, lock))) await takeOver({ folder, lock, candidate });
  } finally {
    await rm(candidate, { force: true });
  }
  const timer = setInterval(() => void touch(lock), TOUCH_MILLISECONDS).unref();
  return {
    release: async () => {
      clearInterval(timer);
      if ((await readOrNothing(lock)) === own) await rm(lock, { force: true });
    },
  };
}

/**
 * Removes the lock of a dead owner. Only one process may remove a given dead owner's lock, and only while it is still that owner's: otherwise a
 * slow process would remove the lock of a quick one that has just taken over. The right to remove is itself a link, named by the dead lock.
 */
async function takeOver({
  folder,
  lock,
  candidate,
}: {
  folder: string;
  lock: string;
  candidate: string;
}): Promise<void> {
  const found = await readOrNothing(lock);
  if (found === undefined) return;
  await refuseLiving(folder, lock, found);
  const right = `${lock}.over-${createHash('sha256').update(found).digest('hex').slice(0, 12)}`;
  if (!(await tryLink(candidate, right))) {
    await dropAbandoned(right);
    return;
  }
  if ((await readOrNothing(lock)) === found) await rename(lock, `${candidate}.dead`).catch(ignoreMissing);
  await rm(`${candidate}.dead`, { force: true });
  await rm(right, { force: true });
}

async function refuseLiving(folder: string, lock: string, found: string): Promise<void> {
  const owner = parseOwner(found);
  if (owner === undefined) return;
  const state = await liveness(owner);
  if (state === 'dead') return;
  if (state === 'alive') throw new FolderInUseError(folder, owner);
  const silent = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? 0);
  if (silent >= SILENT_MILLISECONDS) return;
  const hint = `It showed life ${Math.max(0, Math.round(silent / 1000))} s ago; if it is gone, try again in ${SILENT_MILLISECONDS / 1000} s.`;
  throw new FolderInUseError(folder, owner, hint);
}

/** A process that died between taking the right and using it must not bar the folder for ever. */
async function dropAbandoned(right: string): Promise<void> {
  const holder = parseOwner((await readOrNothing(right)) ?? '');
  if (holder !== undefined && (await liveness(holder)) === 'alive') {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return;
  }
  await rm(right, { force: true });
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A text that is no owner's belongs to nobody: a lock is written whole before it is linked, so it was not made by us. */
function parseOwner(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAt, machine } = JSON.parse(text) as Partial<ProcessIdentity>;
    if (typeof pid !== 'number' || typeof startedAt !== 'string' || typeof machine !== 'string')
      return undefined;
    return { pid, startedAt, machine };
  } catch {
    return undefined;
  }
}

async function touch(lock: string): Promise<void> {
  const now = new Date();
  await utimes(lock, now, now).catch(ignoreMissing);
}

/** A file's text; undefined where there is none. */
export async function readOrNothing(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(ignoreMissing);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
