import { randomUUID } from 'node:crypto';
import { S3Connection, type S3Account } from '../artifacts/s3-connection.ts';

/** An S3-compatible store to test against: `http://user:secret@host:port`. */
const endpoint = process.env['S3_TEST_ENDPOINT'];

/** Whether there is a store to test against; tests of buckets are skipped without one. */
export const hasTestStore = endpoint !== undefined && endpoint !== '';

/** A bucket of one's own at `S3_TEST_ENDPOINT`. */
export interface TestBucket {
  account: S3Account;
  bucket: string;
  put(key: string, bytes: Uint8Array | string): Promise<void>;
  /** Empties and removes it. */
  remove(): Promise<void>;
}

/** Makes a bucket; call it where {@link hasTestStore}. */
export async function createTestBucket(): Promise<TestBucket> {
  const { username, password, origin } = new URL(endpoint ?? '');
  const account = {
    endpoint: origin,
    accessKey: decodeURIComponent(username),
    secretKey: decodeURIComponent(password),
  };
  const { client } = new S3Connection(account);
  const bucket = `perennial-${randomUUID()}`;
  await client.makeBucket(bucket);
  return {
    account,
    bucket,
    put: async (key, bytes) => {
      const body = Buffer.from(bytes);
      await client.putObject(bucket, key, body, body.length);
    },
    remove: async () => {
      const keys: string[] = [];
      for await (const item of client.listObjectsV2(bucket, '', true))
        keys.push(String((item as { name?: string }).name));
      for (const key of keys) await client.removeObject(bucket, key);
      await client.removeBucket(bucket);
    },
  };
}
