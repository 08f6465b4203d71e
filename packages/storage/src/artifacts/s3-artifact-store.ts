import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Client, S3Error } from 'minio';
import { NotFoundError, PerennialError, systemClock, type Clock, type Digest } from '@perennial/contract';
import { ArtifactCorruptError, ArtifactStoreUnavailableError, StorageFullError } from '../errors.ts';
import { ArtifactCache } from './artifact-cache.ts';
import type { ArtifactStore, StoredArtifact } from './artifact-store.ts';
import { artifactKey, digestOf, digestOfKey, digestOfStream } from './digest.ts';

export interface S3ArtifactStoreOptions {
  /** Such as `https://s3.eu-central-1.amazonaws.com` or `http://minio:9000`. */
  endpoint: string;
  /** Must exist. */
  bucket: string;
  accessKey: string;
  secretKey: string;
  /** @default 'us-east-1' */
  region?: string;
  /** Put in front of every key, with its slash: `perennial/`. @default '' */
  prefix?: string;
  /** Where files that readers need on the local disk are kept. */
  cacheFolder: string;
  /** @default 20 GiB */
  cacheBytes?: number;
  /** Longest wait for an answer; transfers have a second more for each megabyte. @default 30000 */
  deadlineMilliseconds?: number;
  /** @default the machine's clock */
  clock?: Clock;
}

const DEFAULT_CACHE_BYTES = 20 * 2 ** 30;
const DEFAULT_DEADLINE_MILLISECONDS = 30_000;
const BYTES_PER_MILLISECOND = 1_000;

/** How often an operation is tried when the store does not answer; keys are made of the content, so trying again is harmless. */
const ATTEMPTS = 3;
const FIRST_PAUSE_MILLISECONDS = 100;

/**
 * Artifacts in a bucket of an S3-compatible store. An object appears when its upload is complete, so an artifact is there whole or not at all.
 *
 * The client's `putObject` never settles when its stream is destroyed or small and chunked (minio-js#1479, #1269): it is given buffers or files of known
 * size, and a deadline.
 */
export class S3ArtifactStore implements ArtifactStore {
  readonly #client: Client;
  readonly #cache: ArtifactCache;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #deadline: number;

  private constructor(cache: ArtifactCache, options: S3ArtifactStoreOptions) {
    this.#client = createClient(options);
    this.#cache = cache;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix ?? '';
    this.#deadline = options.deadlineMilliseconds ?? DEFAULT_DEADLINE_MILLISECONDS;
  }

  /**
   * Opens the store and makes sure that the bucket is there.
   * @throws ArtifactStoreUnavailableError when it is not, does not answer, or refuses us
   */
  static async open(options: S3ArtifactStoreOptions): Promise<S3ArtifactStore> {
    const { cacheFolder, cacheBytes = DEFAULT_CACHE_BYTES, clock = systemClock } = options;
    const cache = await ArtifactCache.open({ folder: cacheFolder, maxBytes: cacheBytes, clock });
    const store = new S3ArtifactStore(cache, options);
    const found = await store.#run('open', () => store.#client.bucketExists(options.bucket));
    if (!found) throw new ArtifactStoreUnavailableError(`open: there is no bucket '${options.bucket}'`);
    return store;
  }

  async put(bytes: Uint8Array): Promise<StoredArtifact> {
    const stored = { digest: digestOf(bytes), bytes: bytes.length };
    if (await this.#holds(stored)) return stored;
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#upload(stored, (key) => this.#client.putObject(this.#bucket, key, body, body.length));
    return stored;
  }

  /** By way of the cache: the file may change while it is sent, its copy under its digest does not. */
  async putFile(path: string): Promise<StoredArtifact> {
    const { digest, path: copy } = await this.#cache.admit(createReadStream(path));
    const stored = { digest, bytes: (await stat(copy)).size };
    if (await this.#holds(stored)) return stored;
    await this.#upload(stored, (key) => this.#client.fPutObject(this.#bucket, key, copy));
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
    await this.#run('delete', () => this.#client.removeObject(this.#bucket, key));
    await this.#cache.remove(digest);
  }

  async *list(): AsyncIterable<Digest> {
    const prefix = `${this.#prefix}sha256/`;
    try {
      for await (const item of this.#client.listObjectsV2(this.#bucket, prefix, true)) {
        const digest = digestOfKey(String((item as { name?: string }).name).slice(this.#prefix.length));
        if (digest !== undefined) yield digest;
      }
    } catch (error) {
      throw translate('list', error);
    }
  }

  #key(digest: Digest): string {
    return `${this.#prefix}${artifactKey(digest)}`;
  }

  async #size(digest: Digest): Promise<number | undefined> {
    const key = this.#key(digest);
    return this.#run('look', async () => {
      const found = await this.#client.statObject(this.#bucket, key).catch(ignoreMissing);
      return found?.size;
    });
  }

  /** What was damaged in the store is sent again rather than taken for a copy. */
  async #holds({ digest, bytes }: StoredArtifact): Promise<boolean> {
    if ((await this.#size(digest)) !== bytes) return false;
    return this.#download(digest, digestOfStream).then((found) => found === digest);
  }

  async #upload({ digest, bytes }: StoredArtifact, send: (key: string) => Promise<unknown>): Promise<void> {
    await this.#run('put', () => send(this.#key(digest)), bytes);
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
      stream = await this.#client.getObject(this.#bucket, this.#key(digest)).catch((error: unknown) => {
        if (isMissing(error)) throw new NotFoundError('artifact', digest);
        throw error;
      });
      return read(stream);
    };
    try {
      return await this.#run('get', attempt, size);
    } finally {
      stream?.destroy();
    }
  }

  /** Runs an operation within its deadline, again when the store does not answer. */
  async #run<Result>(operation: string, work: () => Promise<Result>, bytes = 0): Promise<Result> {
    const deadline = this.#deadline + bytes / BYTES_PER_MILLISECOND;
    for (let attempt = 1; ; attempt++) {
      try {
        return await within(deadline, work());
      } catch (error) {
        const translated = translate(operation, error);
        if (!(translated instanceof ArtifactStoreUnavailableError) || attempt >= ATTEMPTS) throw translated;
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MILLISECONDS * 2 ** attempt));
      }
    }
  }
}

function createClient({
  endpoint,
  accessKey,
  secretKey,
  region = 'us-east-1',
}: S3ArtifactStoreOptions): Client {
  const { protocol, hostname, port } = new URL(endpoint);
  const useSSL = protocol === 'https:';
  return new Client({
    endPoint: hostname,
    port: port === '' ? (useSSL ? 443 : 80) : Number(port),
    useSSL,
    accessKey,
    secretKey,
    region,
    // Its own retries send a stream's rest as if it were the whole, and write to the console.
    retryOptions: { disableRetry: true },
  });
}

async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${milliseconds} ms.`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of ours for one of the client, the network or the deadline. */
function translate(operation: string, error: unknown): unknown {
  if (error instanceof PerennialError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof S3Error && (code === 'XMinioStorageFull' || code === 'QuotaExceeded')) {
    return new StorageFullError('artifact store', { cause: error });
  }
  // An error of the local file system is about the file that was to be sent.
  if (code === 'ENOENT' && syscall !== undefined && syscall !== 'connect' && syscall !== 'getaddrinfo')
    return error;
  return new ArtifactStoreUnavailableError(operation, { cause: error });
}

function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes((error as { code?: string }).code ?? '');
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
