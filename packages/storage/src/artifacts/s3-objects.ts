import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '@perennial/contract';
import { S3BucketUnusableError, S3ObjectChangedError } from '../errors.ts';
import { digestOfStream } from './digest.ts';
import { S3Connection, isMissing, translateS3Error, type S3Account } from './s3-connection.ts';

/** An object as a listing names it. */
export interface S3Object {
  key: string;
  bytes: number;
  /** Names the content: another content has another one. Of most objects the MD5 of their bytes, but nothing may be built on that. */
  etag: string;
  modifiedAt: Date;
}

/** What a download is told. */
export interface S3Download {
  bucket: string;
  object: S3Object;
  /** The file to write; what it holds when the download fails is of no use. */
  file: string;
  signal?: AbortSignal | undefined;
}

/** Reads the objects of an S3-compatible store that others put there. */
export class S3Objects {
  readonly #s3: S3Connection;

  constructor(account: S3Account) {
    this.#s3 = new S3Connection(account);
  }

  /**
   * The objects whose keys begin with a prefix, in order of key, a page of a thousand at a time.
   * @throws S3BucketUnusableError, ArtifactStoreUnavailableError
   */
  async *list(bucket: string, prefix: string): AsyncGenerator<S3Object> {
    try {
      for await (const item of this.#s3.client.listObjectsV2(bucket, prefix, true)) {
        const { name, size, etag, lastModified } = item as Listed;
        if (name !== undefined && etag !== undefined)
          yield { key: name, bytes: size, etag, modifiedAt: new Date(lastModified ?? 0) };
      }
    } catch (error) {
      throw unusable(bucket, error) ?? translateS3Error('list', error);
    }
  }

  /**
   * Writes an object's bytes to a file, and makes sure that they are those of the object that was listed, and all of them.
   * @throws S3ObjectChangedError when it is another one by now, or gone
   * @throws ArtifactStoreUnavailableError; the signal's reason
   */
  async download({ bucket, object, file, signal }: S3Download): Promise<void> {
    await this.#read({ bucket, object, signal }, async (stream) => {
      const target = createWriteStream(file);
      await pipeline(stream, target, signal === undefined ? {} : { signal });
      if (target.bytesWritten !== object.bytes)
        throw new Error(`${target.bytesWritten} of ${object.bytes} bytes arrived.`);
    });
  }

  /**
   * The digest of an object's content, which is read for it.
   * @throws as {@link S3Objects.download}
   */
  async digest({ bucket, object }: Pick<S3Download, 'bucket' | 'object'>): Promise<Digest> {
    return this.#read({ bucket, object }, digestOfStream);
  }

  async #read<Result>(
    { bucket, object, signal }: Omit<S3Download, 'file'>,
    read: (stream: Readable) => Promise<Result>,
  ): Promise<Result> {
    let stream: Readable | undefined;
    const attempt = async () => {
      signal?.throwIfAborted();
      // One that was given up as too slow must not go on beside this one.
      stream?.destroy();
      stream = await this.#open(bucket, object);
      return read(stream);
    };
    try {
      return await this.#s3.run('get', attempt, object.bytes);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      stream?.destroy();
    }
  }

  /** The object's bytes, if it still is the one that was listed. */
  async #open(bucket: string, { key, etag }: S3Object): Promise<Readable> {
    const stream = await this.#s3.client.getObject(bucket, key).catch((error: unknown) => {
      throw isMissing(error) ? new S3ObjectChangedError(bucket, key) : error;
    });
    if (etagOf(stream as IncomingMessage) === etag) return stream;
    stream.destroy();
    throw new S3ObjectChangedError(bucket, key);
  }
}

interface Listed {
  name?: string;
  size: number;
  etag?: string;
  lastModified?: Date | string;
}

/** The listing has it without its quotes. */
function etagOf(response: IncomingMessage): string | undefined {
  return response.headers.etag?.replace(/^"|"$/g, '');
}

const REFUSALS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket',
  AccessDenied: 'the store refuses us',
};

function unusable(bucket: string, error: unknown): S3BucketUnusableError | undefined {
  const problem = REFUSALS[(error as { code?: string }).code ?? ''];
  return problem === undefined ? undefined : new S3BucketUnusableError(bucket, problem, { cause: error });
}
