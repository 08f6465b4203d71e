import { randomUUID } from 'node:crypto';
import { link, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { JournalLockedError } from '../errors.ts';
import { systemErrorCode } from '../files/error-code.ts';

/**
 * Who holds a lock. `place` names the set of process ids that `pid` belongs to: the boot of the machine and, in containers, the pid
 * namespace. `started` tells a process from a later one that was given the same pid.
 */
const ownerSchema = z.object({ pid: z.int(), started: z.string().nullable(), place: z.string() });
type Owner = z.infer<typeof ownerSchema>;

export interface FolderLockOptions {
  /**
   * How often the holder shows that it lives, in milliseconds. A holder whose process cannot be looked up (another machine or container on
   * the same volume) is taken for dead after six of these.
   * @default 5000
   */
  heartbeatMilliseconds?: number;
}

const MISSED_HEARTBEATS = 6;

/**
 * Sole use of a folder, kept as the file `lock` in it. A lock whose process is gone is taken over, so that a server that was killed starts
 * again by itself.
 */
export class FolderLock {
  readonly #path: string;
  readonly #content: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, content: string, heartbeatMilliseconds: number) {
    this.#path = path;
    this.#content = content;
    this.#heartbeat = setInterval(() => void this.#beat(), heartbeatMilliseconds);
    this.#heartbeat.unref();
  }

  /** @throws JournalLockedError when another live process holds the folder */
  static async acquire(folder: string, options: FolderLockOptions = {}): Promise<FolderLock> {
    const { heartbeatMilliseconds = 5_000 } = options;
    const path = join(folder, 'lock');
    const candidate = join(folder, `lock.${randomUUID()}`);
    const content = JSON.stringify(await ownIdentity());
    await writeFile(candidate, content, { mode: 0o600 });
    try {
      if (!(await tryLink(candidate, path))) {
        await removeStale(path, { candidate, patience: heartbeatMilliseconds * MISSED_HEARTBEATS, folder });
        if (!(await tryLink(candidate, path)))
          throw new JournalLockedError(folder, 'a process that has just started');
      }
    } finally {
      await rm(candidate, { force: true });
    }
    return new FolderLock(path, content, heartbeatMilliseconds);
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    if ((await readIfThere(this.#path)) === this.#content) await rm(this.#path, { force: true });
  }

  async #beat(): Promise<void> {
    const now = new Date();
    // A lock file that someone deleted is not worth stopping predictions for.
    await utimes(this.#path, now, now).catch(() => undefined);
  }
}

interface StaleCheck {
  folder: string;
  /** A file just written to the same folder, whose modification time is the file system's now. */
  candidate: string;
  /** Milliseconds without a heartbeat after which an owner that cannot be looked up is taken for dead. */
  patience: number;
}

/** Takes the lock file away if its owner is dead. @throws JournalLockedError if it is not */
async function removeStale(path: string, { folder, candidate, patience }: StaleCheck): Promise<void> {
  const content = await readIfThere(path);
  const [held, now] = await Promise.all([ifThere(stat(path)), stat(candidate)]);
  if (content === undefined || held === undefined) return;
  const owner = parseOwner(content);
  if (await isAlive(owner, now.mtimeMs - held.mtimeMs < patience)) {
    throw new JournalLockedError(
      folder,
      owner === undefined ? 'an unknown process' : `process ${owner.pid} (${owner.place})`,
    );
  }
  await takeAway(path, { content, aside: `${candidate}.stale`, folder });
}

/**
 * Removes the lock file with that content. Two starters may find the same dead owner. Renaming lets one of them have the file; the other may
 * then move away the winner's new lock, sees so by its content, and puts it back.
 */
async function takeAway(
  path: string,
  stale: { content: string; aside: string; folder: string },
): Promise<void> {
  const { content, aside, folder } = stale;
  await ifThere(rename(path, aside));
  const moved = await readIfThere(aside);
  if (moved !== undefined && moved !== content) {
    await tryLink(aside, path);
    await rm(aside, { force: true });
    throw new JournalLockedError(folder, 'a process that has just started');
  }
  await rm(aside, { force: true });
}

async function isAlive(owner: Owner | undefined, recentHeartbeat: boolean): Promise<boolean> {
  if (owner === undefined || owner.place !== (await ownPlace())) return recentHeartbeat;
  if (!processExists(owner.pid)) return false;
  return owner.started === null || owner.started === (await startOf(owner.pid));
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return systemErrorCode(error) === 'EPERM';
  }
}

async function ownIdentity(): Promise<Owner> {
  return { pid: process.pid, started: await startOf(process.pid), place: await ownPlace() };
}

async function ownPlace(): Promise<string> {
  const boot = await readIfThere('/proc/sys/kernel/random/boot_id');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => undefined);
  return boot !== undefined && namespace !== undefined ? `${boot.trim()} ${namespace}` : hostname();
}

/** When a process began, in the kernel's words (`/proc/<pid>/stat`, field 22); null where there is no `/proc`. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readIfThere(`/proc/${pid}/stat`);
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function parseOwner(content: string): Owner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(content)).data;
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
    if (systemErrorCode(error) === 'EEXIST') return false;
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
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
