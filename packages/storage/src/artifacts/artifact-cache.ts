import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Digest } from '@perennial/contract';
import { ArtifactCorruptError } from '../errors.ts';
import { artifactKey } from './digest.ts';
import { FileArtifactStore } from './file-artifact-store.ts';

/** An artifact that was asked for so recently is not removed: somebody may be about to open its file. */
const IN_USE_MILLISECONDS = 600_000;

export interface ArtifactCacheOptions {
  folder: string;
  /** When the cache grows beyond this, what was not asked for longest goes. */
  maxBytes: number;
  clock: Clock;
}

/** Copies of artifacts on the local disk, checked at every use, bounded in size. */
export class ArtifactCache {
  readonly #store: FileArtifactStore;
  readonly #options: ArtifactCacheOptions;

  private constructor(store: FileArtifactStore, options: ArtifactCacheOptions) {
    this.#store = store;
    this.#options = options;
  }

  static async open(options: ArtifactCacheOptions): Promise<ArtifactCache> {
    return new ArtifactCache(await FileArtifactStore.open(options), options);
  }

  /** The path of the copy, or nothing when there is none; a damaged copy is removed. */
  async find(digest: Digest): Promise<string | undefined> {
    if (!(await this.#store.has(digest))) return undefined;
    try {
      const path = await this.#store.fetchFile(digest);
      await this.#touch(path);
      return path;
    } catch (error) {
      if (!(error instanceof ArtifactCorruptError)) throw error;
      await this.#store.delete(digest);
      return undefined;
    }
  }

  /**
   * Keeps what the stream brings, if it is what it should be, and makes room.
   * @throws ArtifactCorruptError when it is not
   * @throws StorageFullError when the disk has no room
   */
  async admit(
    chunks: AsyncIterable<Uint8Array>,
    expected?: Digest,
  ): Promise<{ digest: Digest; path: string }> {
    const { digest } = await this.#store.putStream(chunks, expected);
    const path = join(this.#options.folder, artifactKey(digest));
    await this.#touch(path);
    await this.#makeRoom();
    return { digest, path };
  }

  async remove(digest: Digest): Promise<void> {
    await this.#store.delete(digest);
  }

  async #touch(path: string): Promise<void> {
    const now = this.#options.clock.now();
    await utimes(path, now, now);
  }

  async #makeRoom(): Promise<void> {
    const files = (await this.#files()).sort((a, b) => a.usedAt - b.usedAt);
    const idleSince = this.#options.clock.now().getTime() - IN_USE_MILLISECONDS;
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (bytes <= this.#options.maxBytes || file.usedAt > idleSince) return;
      await rm(file.path, { force: true });
      bytes -= file.bytes;
    }
  }

  async #files(): Promise<{ path: string; bytes: number; usedAt: number }[]> {
    const top = join(this.#options.folder, 'sha256');
    const entries = await readdir(top, { recursive: true, withFileTypes: true });
    const files = [];
    for (const entry of entries.filter((found) => found.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined) files.push({ path, bytes: found.size, usedAt: found.mtimeMs });
    }
    return files;
  }
}
