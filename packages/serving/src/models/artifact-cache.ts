import { webcrypto } from 'node:crypto';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@perennial/contract';
import { digestOf } from '@perennial/storage/digest';
import { ArtifactDigestError } from '../errors.ts';
import { systemErrorCode } from '../files/error-code.ts';
import { replaceFile } from '../files/replace-file.ts';

export interface ArtifactCacheOptions {
  /** Folder of its own on the local disk; made when it is not there. */
  folder: string;
  /** The artifact store, which may be far away, or gone for a while. */
  fetch: (digest: Digest) => Promise<Uint8Array>;
  /** Called when an artifact could be fetched but not kept; it is served all the same. */
  onProblem?: (error: unknown) => void;
}

/**
 * Artifacts on the local disk by digest, so that a server starts without the artifact store. Whatever is handed out has been checked
 * against its digest; a file that is damaged is fetched again. Artifacts asked for at the same time are fetched once.
 */
export class ArtifactCache {
  readonly #options: ArtifactCacheOptions;
  readonly #pending = new Map<Digest, Promise<Uint8Array>>();

  private constructor(options: ArtifactCacheOptions) {
    this.#options = options;
  }

  static async open(options: ArtifactCacheOptions): Promise<ArtifactCache> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    return new ArtifactCache(options);
  }

  /**
   * The artifact's bytes, from the disk or the store.
   * @throws ArtifactDigestError when the store answers with other bytes, and what the store throws
   */
  get(digest: Digest): Promise<Uint8Array> {
    const pending = this.#pending.get(digest);
    if (pending !== undefined) return pending;
    const loading = this.#load(digest).finally(() => this.#pending.delete(digest));
    this.#pending.set(digest, loading);
    return loading;
  }

  /** Deletes every artifact that is not among those to keep. */
  async prune(keep: ReadonlySet<Digest>): Promise<void> {
    const names = new Set(Array.from(keep, nameOf));
    for (const name of await readdir(this.#options.folder)) {
      if (names.has(name) || this.#pending.has(`sha256:${name}`)) continue;
      await rm(join(this.#options.folder, name), { force: true });
    }
  }

  async #load(digest: Digest): Promise<Uint8Array> {
    const path = join(this.#options.folder, nameOf(digest));
    const kept = await readIfThere(path);
    if (kept !== undefined && (await digestBeside(kept)) === digest) return kept;
    const fetched = await this.#options.fetch(digest);
    if ((await digestBeside(fetched)) !== digest) throw new ArtifactDigestError(digest);
    await this.#keep(path, fetched);
    return fetched;
  }

  /** Not brought to disk, which a cold request would wait for: what a power cut takes or tears does not have its digest, and is fetched again. */
  async #keep(path: string, fetched: Uint8Array): Promise<void> {
    await replaceFile(path, fetched, { sync: false }).catch((error: unknown) =>
      this.#options.onProblem?.(error),
    );
  }
}

/** From so many bytes on a digest is worked out on another thread: 37 MB would keep the event loop busy for 25 ms or more. */
const LARGE = 1_000_000;

async function digestBeside(bytes: Uint8Array): Promise<Digest> {
  if (bytes.length < LARGE) return digestOf(bytes);
  const digest = await webcrypto.subtle.digest('SHA-256', bytes);
  return `sha256:${Buffer.from(digest).toString('hex')}`;
}

function nameOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
