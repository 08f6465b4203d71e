import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderInUseError } from '../errors.ts';
import { liveness, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/** Sole use of a folder. */
export interface FolderLock {
  /** Gives the folder back; does nothing where somebody else has it by now. */
  release(): Promise<void>;
}

/** How often a holder shows that it lives, for those who cannot look at its process (another container or machine, before a reboot). */
const HEARTBEAT_MILLISECONDS = 5_000;

/** A holder that cannot be looked at and was silent for so long, six heartbeats, is taken for dead. */
const SILENT_MILLISECONDS = 30_000;

/**
 * Takes a folder for this process, kept as the file `lock` in it. A lock whose process is gone is taken over, so that a platform that was killed starts again by
 * itself.
 *
 * Taking over is a claim: a file named for the dead holder, which the file system lets one process make. The claimant then puts its own name into `lock`. One
 * that dies in between is itself taken over by a claim on it, so the holder is found by following claims from `lock` to the last. Claims are removed only
 * after `lock` names the new holder; who followed them from an older `lock` sees so and begins again.
 * @throws FolderInUseError when another live process holds the folder
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'lock');
  const candidate = join(folder, `lock.${randomUUID()}`);
  // The nonce makes every lock another, also of one process.
  const content = JSON.stringify({ ...(await ownIdentity()), nonce: randomUUID() });
  await writeFile(candidate, content, { mode: 0o600 });
  const attempt = { folder, path, candidate };
  try {
    while (!(await tryLink(candidate, path)) && !(await takeOver(attempt)));
  } finally {
    await rm(candidate, { force: true });
  }
  const heartbeat = setInterval(() => void beat(path), HEARTBEAT_MILLISECONDS).unref();
  return {
    release: async () => {
      clearInterval(heartbeat);
      if ((await readIfThere(path)) === content) await rm(path, { force: true });
    },
  };
}

async function beat(path: string): Promise<void> {
  const now = new Date();
  // A lock file that someone deleted is not worth stopping predictions for.
  await utimes(path, now, now).catch(() => undefined);
}

interface Attempt {
  folder: string;
  /** The lock file. */
  path: string;
  /** A file with our name, just written to the same folder: its modification time is the file system's now. */
  candidate: string;
}

/** Takes the lock from a dead holder; false when it has changed hands meanwhile. @throws FolderInUseError when its holder lives */
async function takeOver(attempt: Attempt): Promise<boolean> {
  const { path, candidate } = attempt;
  const chain = await followClaims(attempt);
  const [first, last] = [chain.at(0), chain.at(-1)];
  if (first === undefined || last === undefined) return false;
  if (!(await isDead(attempt, last))) return false;
  const claim = claimOn(attempt.folder, last.content);
  if (!(await tryLink(candidate, claim))) return false;
  if ((await readIfThere(path)) !== first.content) {
    await rm(claim, { force: true });
    return false;
  }
  await rename(candidate, path);
  for (const { content } of chain) await rm(claimOn(attempt.folder, content), { force: true });
  return true;
}

/** A file that names a holder. */
interface Naming {
  path: string;
  content: string;
}

/** What `lock` says, then the claim on that holder, the claim on that claimant, and so on; the last is the holder. */
async function followClaims({ folder, path }: Attempt): Promise<Naming[]> {
  const chain: Naming[] = [];
  let next = path;
  for (;;) {
    const content = await readIfThere(next);
    if (content === undefined) return chain;
    chain.push({ path: next, content });
    next = claimOn(folder, content);
  }
}

function claimOn(folder: string, content: string): string {
  return join(folder, `lock.claim-${createHash('sha256').update(content).digest('hex').slice(0, 32)}`);
}

/**
 * Whether the holder that a file names is dead; false when the file is gone, which says nothing of its holder: only the dead may be claimed.
 * @throws FolderInUseError when the holder lives
 */
async function isDead({ folder, candidate }: Attempt, { path, content }: Naming): Promise<boolean> {
  const [held, now] = await Promise.all([ifThere(stat(path)), stat(candidate)]);
  if (held === undefined) return false;
  const owner = parseOwner(content);
  // What cannot be read is nobody's that we know: it counts as long as its heart beats.
  const state = owner === undefined ? 'unknown' : await liveness(owner);
  if (state === 'dead') return true;
  if (state === 'alive') throw new FolderInUseError(folder, owner);
  const silent = now.mtimeMs - held.mtimeMs;
  if (silent >= SILENT_MILLISECONDS) return true;
  const shown = Math.max(0, Math.round(silent / 1_000));
  const hint = `It showed life ${shown} s ago; if it is gone, try again in ${SILENT_MILLISECONDS / 1_000 - shown} s.`;
  throw new FolderInUseError(folder, owner, hint);
}

function parseOwner(content: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAt, machine } = JSON.parse(content) as Partial<ProcessIdentity>;
    const known = Number.isInteger(pid) && typeof startedAt === 'string' && typeof machine === 'string';
    return known ? ({ pid, startedAt, machine } as ProcessIdentity) : undefined;
  } catch {
    return undefined;
  }
}

/** Gives a file a second name; false when that name is taken. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readIfThere(path: string): Promise<string | undefined> {
  return ifThere(readFile(path, 'utf8'));
}

/** The result of an operation on a file; undefined when there is no such file. */
async function ifThere<Result>(operation: Promise<Result>): Promise<Result | undefined> {
  try {
    return await operation;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
