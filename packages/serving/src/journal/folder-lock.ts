import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { JournalLockedError } from '../errors.ts';
import { systemErrorCode } from '../files/error-code.ts';

/**
 * Who holds a lock. `place` names the set of process ids that `pid` belongs to: the boot of the machine and, in containers, the pid
 * namespace. `started` tells a process from a later one that was given the same pid. `nonce` makes every lock another.
 */
const ownerSchema = z.object({
  pid: z.int(),
  started: z.string().nullable(),
  place: z.string(),
  nonce: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

export interface FolderLockOptions {
  /**
   * How often the holder shows that it lives, in milliseconds. A holder whose process cannot be looked up (another machine or container on
   * the same volume) is taken for dead after six of these.
   * @default 5000
   */
  heartbeatMilliseconds?: number;
  /** How long a live holder is waited for, in milliseconds: what is left of a server that was killed takes some seconds to end. @default 0 */
  waitMilliseconds?: number;
  /** Waits between two looks. @default the machine's timer */
  delay?: (milliseconds: number) => Promise<unknown>;
}

const MISSED_HEARTBEATS = 6;
const LOOK_MILLISECONDS = 100;

/**
 * Sole use of a folder, kept as the file `lock` in it. A lock whose process is gone is taken over, so that a server that was killed starts
 * again by itself.
 *
 * Taking over is a claim: a file named for the dead owner, which the file system lets one process make. The claimant then puts its own name
 * into `lock`. One that dies in between is itself taken over by a claim on it, so the holder is found by following claims from `lock` to
 * the last. Claims are removed only after `lock` names the new holder; who followed them from an older `lock` sees so and begins again.
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

  /** @throws JournalLockedError when another live process holds the folder, and goes on to for as long as it is waited for */
  static async acquire(folder: string, options: FolderLockOptions = {}): Promise<FolderLock> {
    const { heartbeatMilliseconds = 5_000, waitMilliseconds = 0, delay = setTimeout } = options;
    const candidate = join(folder, `lock.${randomUUID()}`);
    const content = JSON.stringify(await ownIdentity());
    await writeFile(candidate, content, { mode: 0o600 });
    const attempt = {
      folder,
      path: join(folder, 'lock'),
      candidate,
      patience: heartbeatMilliseconds * MISSED_HEARTBEATS,
    };
    try {
      for (let waited = 0; !(await hasTaken(attempt, waited < waitMilliseconds)); waited += LOOK_MILLISECONDS)
        await delay(LOOK_MILLISECONDS);
    } finally {
      await rm(candidate, { force: true });
    }
    return new FolderLock(attempt.path, content, heartbeatMilliseconds);
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

interface Attempt {
  folder: string;
  /** The lock file. */
  path: string;
  /** A file with our name, just written to the same folder: its modification time is the file system's now. */
  candidate: string;
  /** Milliseconds without a heartbeat after which an owner that cannot be looked up is taken for dead. */
  patience: number;
}

/** Takes the lock; false when its owner lives and is to be waited for. @throws JournalLockedError when it is not */
async function hasTaken(attempt: Attempt, isPatient: boolean): Promise<boolean> {
  try {
    while (!(await tryLink(attempt.candidate, attempt.path)) && !(await takeOver(attempt)));
    return true;
  } catch (error) {
    if (isPatient && error instanceof JournalLockedError) return false;
    throw error;
  }
}

/** Takes the lock from a dead owner; false when it has changed hands meanwhile. @throws JournalLockedError when its owner lives */
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

/** A file that names an owner. */
interface Naming {
  path: string;
  content: string;
}

/** What `lock` says, then the claim on that owner, the claim on that claimant, and so on; the last is the holder. */
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
 * Whether the owner that a file names is dead; false when the file is gone, which says nothing of its owner: only the dead may be claimed.
 * @throws JournalLockedError when the owner lives
 */
async function isDead({ folder, candidate, patience }: Attempt, { path, content }: Naming): Promise<boolean> {
  const [held, now] = await Promise.all([ifThere(stat(path)), stat(candidate)]);
  if (held === undefined) return false;
  const owner = parseOwner(content);
  if (!(await isAlive(owner, now.mtimeMs - held.mtimeMs < patience))) return true;
  const name = owner === undefined ? 'an unknown process' : `process ${owner.pid} (${owner.place})`;
  throw new JournalLockedError(folder, name);
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
  return {
    pid: process.pid,
    started: await startOf(process.pid),
    place: await ownPlace(),
    nonce: randomUUID(),
  };
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
