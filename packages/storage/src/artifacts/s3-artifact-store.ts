import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { NotFoundError, systemClock, type Clock, type Digest } from '@perennial/contract';
import { ArtifactCorruptError, ArtifactStoreUnavailableError } from '../errors.ts';
import { ArtifactCache } from './artifact-cache.ts';
import type { ArtifactStore, StoredArtifact } from './artifact-store.ts';
import { artifactKey, digestOf, digestOfKey, digestOfStream } from './digest.ts';
import { readChunks } from './file-artifact-store.ts';
import { S3Connection, isMissing, translateS3Error, type S3Account } from './s3-connection.ts';

export interface S3ArtifactStoreOptions extends S3Account {
  /** Must exist. */
  bucket: string;
  /** Put in front of every key, with its slash: `perennial/`. @default '' */
  prefix?: string;
  /** Where files that readers need on the local disk are kept. */
  cacheFolder: string;
  /** @default 20 GiB */
  cacheBytes?: number;
  /** @default the machine's clock */
  clock?: Clock;
}

const DEFAULT_CACHE_BYTES = 20 * 2 ** 30;

/**
 * Artifacts in a bucket of an S3-compatible store. An object appears when its upload is complete, so an artifact is there whole or not at all.
 *
 * The client's `putObject` never settles when its stream is destroyed or small and chunked (minio-js#1479, #1269): it is given buffers or files of known
 * size, and a deadline.
 */
export class S3ArtifactStore implements ArtifactStore {
  readonly #s3: S3Connection;
  readonly #cache: ArtifactCache;
  readonly #bucket: string;
  readonly #prefix: string;

  private constructor(cache: ArtifactCache, options: S3ArtifactStoreOptions) {
    this.#s3 = new S3Connection(options);
    this.#cache = cache;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix ?? '';
  }

  /**
   * Opens the store and makes sure that the bucket is there.
   * @throws ArtifactStoreUnavailableError when it is not, does not answer, or refuses us
   */
  static async open(options: S3ArtifactStoreOptions): Promise<S3ArtifactStore> {
    const { cacheFolder, cacheBytes = DEFAULT_CACHE_BYTES, clock = systemClock } = options;
    const cache = await ArtifactCache.open({ folder: cacheFolder, maxBytes: cacheBytes, clock });
    const store = new S3ArtifactStore(cache, options);
    const found = await store.#s3.run('open', () => store.#s3.client.bucketExists(options.bucket));
    if (!found) throw new ArtifactStoreUnavailableError(`open: there is no bucket '${options.bucket}'`);
    return store;
  }

  async put(bytes: Uint8Array): Promise<StoredArtifact> {
    const stored = { digest: digestOf(bytes), bytes: bytes.length };
    if (await this.#holds(stored)) return stored;
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#upload(stored, (key) => this.#s3.client.putObject(this.#bucket, key, body, body.length));
    return stored;
  }

  /** By way of the cache: the file may change while it is sent, its copy under its digest does not. */
  async putFile(path: string): Promise<StoredArtifact> {
    const { digest, path: copy } = await this.#cache.admit(readChunks(path));
    const stored = { digest, bytes: (await stat(copy)).size };
    if (await this.#holds(stored)) return stored;
    await this.#upload(stored, (key) => this.#s3.client.fPutObject(this.#bucket, key, copy));
    return stored;
  }

  async get(digest: Digest): Promise<Uint8Array> {
    const bytes = await this.#download(digest, collect);
    const found = digestOf(bytes);
    if (found !== digest) throw new ArtifactCorruptError(digest, found);
    return bytes;
  }

  async fetchFile(digest: Digest): Promise<string> {
    const cached = await this.#cache.find(digest);
    if (cached !== undefined) return cached;
    return this.#download(digest, async (stream) => (await this.#cache.admit(stream, digest)).path);
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.#size(digest)) !== undefined;
  }

  async delete(digest: Digest): Promise<void> {
    const key = this.#key(digest);
    await this.#s3.run('delete', () => this.#s3.client.removeObject(this.#bucket, key));
    await this.#cache.remove(digest);
  }

  async *list(): AsyncIterable<Digest> {
    const prefix = `${this.#prefix}sha256/`;
    try {
      for await (const item of this.#s3.client.listObjectsV2(this.#bucket, prefix, true)) {
        const digest = digestOfKey(String((item as { name?: string }).name).slice(this.#prefix.length));
        if (digest !== undefined) yield digest;
      }
    } catch (error) {
      throw translateS3Error('list', error);
    }
  }

  #key(digest: Digest): string {
    return `${this.#prefix}${artifactKey(digest)}`;
  }

  async #size(digest: Digest): Promise<number | undefined> {
    const key = this.#key(digest);
    return this.#s3.run('look', async () => {
      const found = await this.#s3.client.statObject(this.#bucket, key).catch(ignoreMissing);
      return found?.size;
    });
  }

  /** What was damaged in the store is sent again rather than taken for a copy. */
  async #holds({ digest, bytes }: StoredArtifact): Promise<boolean> {
    if ((await this.#size(digest)) !== bytes) return false;
    return this.#download(digest, digestOfStream).then((found) => found === digest);
  }

  async #upload({ digest, bytes }: StoredArtifact, send: (key: string) => Promise<unknown>): Promise<void> {
    await this.#s3.run('put', () => send(this.#key(digest)), bytes);
    const found = await this.#size(digest);
    if (found !== bytes)
      throw new ArtifactStoreUnavailableError(`put: ${found ?? 'none'} of ${bytes} bytes arrived`);
  }

  /** Reads an object, again when the connection is lost on the way. */
  async #download<Result>(digest: Digest, read: (stream: Readable) => Promise<Result>): Promise<Result> {
    const size = await this.#size(digest);
    if (size === undefined) throw new NotFoundError('artifact', digest);
    let stream: Readable | undefined;
    const attempt = async () => {
      stream = await this.#s3.client.getObject(this.#bucket, this.#key(digest)).catch((error: unknown) => {
        if (isMissing(error)) throw new NotFoundError('artifact', digest);
        throw error;
      });
      return read(stream);
    };
    try {
      return await this.#s3.run('get', attempt, size);
    } finally {
      stream?.destroy();
    }
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
  return undefined;
}

async function collect(stream: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
