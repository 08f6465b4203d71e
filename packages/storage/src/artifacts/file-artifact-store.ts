import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { NotFoundError, systemClock, type Clock, type Digest } from '@perennial/contract';
import { ArtifactCorruptError, StorageFullError } from '../errors.ts';
import type { ArtifactStore, StoredArtifact } from './artifact-store.ts';
import { RunningDigest, artifactKey, digestOf, digestOfKey, digestOfStream } from './digest.ts';

export interface FileArtifactStoreOptions {
  /** Made when it is not there. */
  folder: string;
  /** Tells the age of leftovers. @default the machine's clock */
  clock?: Clock;
}

/** A temporary file that was not written to for so long belongs to a process that died. */
const LEFTOVER_MILLISECONDS = 3_600_000;

const CHUNK_BYTES = 1 << 20;

/**
 * Artifacts in a folder of the local disk. A file is written under a temporary name, forced to the disk and renamed; the folder's entry is forced too.
 * After a crash at any point an artifact is therefore there whole or not at all.
 */
export class FileArtifactStore implements ArtifactStore {
  readonly #folder: string;
  readonly #temporary: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#temporary = join(folder, 'tmp');
  }

  /** Opens the store of a folder and removes what died processes left in it. */
  static async open({ folder, clock = systemClock }: FileArtifactStoreOptions): Promise<FileArtifactStore> {
    const store = new FileArtifactStore(folder);
    await mkdir(store.#temporary, { recursive: true });
    await removeLeftovers(store.#temporary, clock.now().getTime() - LEFTOVER_MILLISECONDS);
    return store;
  }

  async put(bytes: Uint8Array): Promise<StoredArtifact> {
    const digest = digestOf(bytes);
    if (await this.#isWhole(digest, bytes.length)) return { digest, bytes: bytes.length };
    return this.putStream([bytes], digest);
  }

  async putFile(path: string): Promise<StoredArtifact> {
    return this.putStream(readChunks(path));
  }

  /**
   * Puts what a stream brings. With an expected digest, bytes that do not have it are not kept.
   * @throws ArtifactCorruptError when the bytes are not the expected ones
   * @throws StorageFullError when there is no room
   */
  async putStream(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    expected?: Digest,
  ): Promise<StoredArtifact> {
    const temporary = join(this.#temporary, randomUUID());
    try {
      const stored = await writeDurably(temporary, chunks);
      if (expected !== undefined && stored.digest !== expected) {
        throw new ArtifactCorruptError(expected, stored.digest);
      }
      await this.#publish(temporary, stored.digest);
      return stored;
    } catch (error) {
      await rm(temporary, { force: true });
      throw isFull(error) ? new StorageFullError('artifact store', { cause: error }) : error;
    }
  }

  async get(digest: Digest): Promise<Uint8Array> {
    const bytes = await readFile(this.#path(digest)).catch(notFound(digest));
    const found = digestOf(bytes);
    if (found !== digest) throw new ArtifactCorruptError(digest, found);
    return bytes;
  }

  async fetchFile(digest: Digest): Promise<string> {
    const path = this.#path(digest);
    const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES });
    const found = await digestOfStream(stream).catch(notFound(digest));
    if (found !== digest) throw new ArtifactCorruptError(digest, found);
    return path;
  }

  async has(digest: Digest): Promise<boolean> {
    return (await stat(this.#path(digest)).catch(ignoreMissing)) !== undefined;
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  async *list(): AsyncIterable<Digest> {
    const top = join(this.#folder, 'sha256');
    for (const shard of await entries(top)) {
      for (const name of await entries(join(top, shard))) {
        const digest = digestOfKey(`sha256/${shard}/${name}`);
        if (digest !== undefined) yield digest;
      }
    }
  }

  #path(digest: Digest): string {
    return join(this.#folder, artifactKey(digest));
  }

  /** A file that was damaged on the disk is written again rather than taken for a copy. */
  async #isWhole(digest: Digest, bytes: number): Promise<boolean> {
    const found = await stat(this.#path(digest)).catch(ignoreMissing);
    if (found?.size !== bytes) return false;
    return (await this.get(digest).catch(() => undefined)) !== undefined;
  }

  async #publish(temporary: string, digest: Digest): Promise<void> {
    const path = this.#path(digest);
    const shard = dirname(path);
    const made = await mkdir(shard, { recursive: true });
    await rename(temporary, path);
    await syncFolder(shard);
    // A new shard is itself an entry that a power cut could take away, with all that is in it.
    if (made !== undefined) {
      await syncFolder(dirname(shard));
      await syncFolder(this.#folder);
    }
  }
}

async function writeDurably(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<StoredArtifact> {
  const file = await open(path, 'wx', 0o644);
  try {
    const running = new RunningDigest();
    for await (const chunk of chunks) {
      running.update(chunk);
      await writeWhole(file, chunk);
    }
    await file.sync();
    return running.finish();
  } finally {
    await file.close();
  }
}

/** One `write` may take less than it was given, as it does on a disk that is nearly full. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.length) written += (await file.write(chunk, written)).bytesWritten;
}

/**
 * Opens the file only when the first chunk is asked for. A stream that is made earlier may fail to open before anybody listens, and such an `error`
 * event ends the process.
 */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) yield chunk as Uint8Array;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeLeftovers(folder: string, before: number): Promise<void> {
  for (const name of await entries(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(ignoreMissing);
    if (found !== undefined && found.mtimeMs < before) await rm(path, { force: true });
  }
}

async function entries(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(ignoreMissing)) ?? [];
}

/** No space, over the quota, over the process's limit for one file. */
function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function notFound(digest: Digest): (error: unknown) => never {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotFoundError('artifact', digest);
    throw error;
  };
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
