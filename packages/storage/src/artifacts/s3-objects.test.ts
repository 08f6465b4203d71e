import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ArtifactStoreUnavailableError, S3BucketUnusableError, S3ObjectChangedError } from '../errors.ts';
import { createTestBucket, hasTestStore, type TestBucket } from '../testing/test-bucket.ts';
import { digestOf } from './digest.ts';
import { S3Objects, type S3Object } from './s3-objects.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-objects-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function listed(objects: S3Objects, bucket: string, prefix = ''): Promise<S3Object[]> {
  const found: S3Object[] = [];
  for await (const object of objects.list(bucket, prefix)) found.push(object);
  return found;
}

describe.skipIf(!hasTestStore)('objects in the store at S3_TEST_ENDPOINT', () => {
  let test: TestBucket;
  let objects: S3Objects;
  beforeEach(async () => {
    test = await createTestBucket();
    objects = new S3Objects(test.account);
  });
  afterEach(() => test.remove());

  it('are listed by prefix in order of key, through folders', async () => {
    for (const key of ['a/2.csv', 'a/b/1.csv', 'a/1 ü.csv', 'other.csv']) await test.put(key, key);
    const found = await listed(objects, test.bucket, 'a/');
    expect(found.map(({ key, bytes }) => [key, bytes])).toEqual([
      ['a/1 ü.csv', 10],
      ['a/2.csv', 7],
      ['a/b/1.csv', 9],
    ]);
    expect(await listed(objects, test.bucket, 'nothing/')).toEqual([]);
  });

  it('are downloaded and digested whole', async () => {
    const bytes = Buffer.alloc(3_000_000, 'rows');
    await test.put('rows.csv', bytes);
    const [object] = await listed(objects, test.bucket);
    const file = join(folder, 'rows.csv');
    const asked = { bucket: test.bucket, object: object as S3Object };
    await objects.download({ ...asked, file });
    expect(digestOf(await readFile(file))).toBe(digestOf(bytes));
    expect(await objects.digest(asked)).toBe(digestOf(bytes));
  });

  it('that have changed or gone since they were listed are not taken for what they were', async () => {
    await test.put('rows.csv', 'before');
    const [object] = await listed(objects, test.bucket);
    const asked = { bucket: test.bucket, object: object as S3Object, file: join(folder, 'rows.csv') };
    await test.put('rows.csv', 'beyond');
    await expect(objects.download(asked)).rejects.toBeInstanceOf(S3ObjectChangedError);
    const gone = { ...asked.object, key: 'gone.csv' };
    await expect(objects.download({ ...asked, object: gone })).rejects.toMatchObject({ transient: true });
  });

  it('of a bucket that is not there are refused by name', async () => {
    await expect(listed(objects, 'perennial-nowhere')).rejects.toThrow(
      `The bucket 'perennial-nowhere' cannot be read: there is no such bucket.`,
    );
  });
});

describe('objects in a store that misbehaves', () => {
  let server: Server;
  let behave: RequestListener;
  beforeEach(async () => {
    server = createServer((request, response) => behave(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const object = { key: 'rows.csv', bytes: 4, etag: 'x', modifiedAt: new Date(0) };
  function open(): S3Objects {
    const { port } = server.address() as AddressInfo;
    return new S3Objects({
      endpoint: `http://127.0.0.1:${port}`,
      accessKey: 'someone',
      secretKey: 'something',
    });
  }
  const refused = (status: number, code: string): RequestListener => {
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
    return (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
  };

  it('are refused where the store says so, and may be asked for again where it does not answer', async () => {
    behave = refused(403, 'AccessDenied');
    await expect(listed(open(), 'rows')).rejects.toBeInstanceOf(S3BucketUnusableError);
    behave = refused(503, 'SlowDown');
    await expect(listed(open(), 'rows')).rejects.toBeInstanceOf(ArtifactStoreUnavailableError);
  });

  it('are asked for again when they come short, and are not kept short', async () => {
    let asked = 0;
    behave = (_request, response) => {
      asked++;
      response.writeHead(200, { etag: '"x"' }).end(asked < 3 ? 'ro' : 'rows');
    };
    const download = { bucket: 'rows', object, file: join(folder, 'rows.csv') };
    await open().download(download);
    expect(await readFile(download.file, 'utf8')).toBe('rows');
    behave = (_request, response) => response.writeHead(200, { etag: '"x"' }).end('ro');
    await expect(open().download(download)).rejects.toBeInstanceOf(ArtifactStoreUnavailableError);
  });

  it('are let go of when nobody waits for them any more', async () => {
    const controller = new AbortController();
    behave = (_request, response) => {
      response.writeHead(200, { etag: '"x"' }).write('ro');
      controller.abort(new Error('enough'));
    };
    const download = { bucket: 'rows', object, file: join(folder, 'rows.csv'), signal: controller.signal };
    await expect(open().download(download)).rejects.toThrow('enough');
  });
});
