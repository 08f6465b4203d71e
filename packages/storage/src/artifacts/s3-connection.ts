import { createRequire } from 'node:module';
import type * as Minio from 'minio';
import { PerennialError } from '@perennial/contract';
import { ArtifactStoreUnavailableError, StorageFullError } from '../errors.ts';

const require = createRequire(import.meta.url);

/** Loaded when a store is first spoken to: it takes 0.2 s of processor time, which every training and serving process without a store would pay. */
const minio = () => require('minio') as typeof Minio;

/** An S3-compatible store and who we are there. */
export interface S3Account {
  /** Such as `https://s3.eu-central-1.amazonaws.com` or `http://minio:9000`. */
  endpoint: string;
  accessKey: string;
  secretKey: string;
  /** @default 'us-east-1' */
  region?: string;
  /** Longest wait for an answer; transfers have a second more for each megabyte. @default 30000 */
  deadlineMilliseconds?: number;
}

const DEFAULT_DEADLINE_MILLISECONDS = 30_000;
const BYTES_PER_MILLISECOND = 1_000;

/** How often an operation is tried when the store does not answer; all of ours can be tried again without harm. */
const ATTEMPTS = 3;
const FIRST_PAUSE_MILLISECONDS = 100;

/** The client of an S3-compatible store, with what it lacks: deadlines, tries that mean something, and errors of ours. */
export class S3Connection {
  readonly client: Minio.Client;
  readonly #deadline: number;

  constructor(account: S3Account) {
    this.client = createClient(account);
    this.#deadline = account.deadlineMilliseconds ?? DEFAULT_DEADLINE_MILLISECONDS;
  }

  /** Runs an operation within its deadline, again when the store does not answer. */
  async run<Result>(operation: string, work: () => Promise<Result>, bytes = 0): Promise<Result> {
    const deadline = this.#deadline + bytes / BYTES_PER_MILLISECOND;
    for (let attempt = 1; ; attempt++) {
      try {
        return await within(deadline, work());
      } catch (error) {
        const translated = translateS3Error(operation, error);
        if (!(translated instanceof ArtifactStoreUnavailableError) || attempt >= ATTEMPTS) throw translated;
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MILLISECONDS * 2 ** attempt));
      }
    }
  }
}

function createClient({ endpoint, accessKey, secretKey, region = 'us-east-1' }: S3Account): Minio.Client {
  const { protocol, hostname, port } = new URL(endpoint);
  const useSSL = protocol === 'https:';
  return new (minio().Client)({
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
export function translateS3Error(operation: string, error: unknown): unknown {
  if (error instanceof PerennialError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof minio().S3Error && (code === 'XMinioStorageFull' || code === 'QuotaExceeded')) {
    return new StorageFullError('artifact store', { cause: error });
  }
  // An error of the local file system is about the file that was to be sent.
  if (code === 'ENOENT' && syscall !== undefined && syscall !== 'connect' && syscall !== 'getaddrinfo')
    return error;
  return new ArtifactStoreUnavailableError(operation, { cause: error });
}

export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes((error as { code?: string }).code ?? '');
}
