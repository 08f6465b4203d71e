import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'minio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ArtifactStoreUnavailableError } from '../errors.ts';
import { artifactStoreContract } from '../testing/artifact-store-contract.ts';
import { artifactKey, digestOf } from './digest.ts';
import { S3ArtifactStore } from './s3-artifact-store.ts';

/** An S3-compatible store to test against: `http://user:secret@host:port`. */
const endpoint = process.env['S3_TEST_ENDPOINT'];

describe.skipIf(endpoint === undefined)('with the store at S3_TEST_ENDPOINT', () => {
  artifactStoreContract('a bucket', async () => {
    const { username, password, hostname, port, origin } = new URL(endpoint ?? '');
    const [accessKey, secretKey] = [decodeURIComponent(username), decodeURIComponent(password)];
    const client = new Client({
      endPoint: hostname,
      port: Number(port),
      useSSL: false,
      accessKey,
      secretKey,
    });
    const bucket = `perennial-${randomUUID()}`;
    const cacheFolder = await mkdtemp(join(tmpdir(), 'perennial-s3-'));
    const prefix = 'artifacts/';
    await client.makeBucket(bucket);
    const store = await S3ArtifactStore.open({
      endpoint: origin,
      bucket,
      accessKey,
      secretKey,
      prefix,
      cacheFolder,
    });
    return {
      store,
      damage: async (digest, bytes) => {
        await client.putObject(bucket, `${prefix}${artifactKey(digest)}`, Buffer.from(bytes), bytes.length);
      },
      remove: async () => {
        for await (const digest of store.list()) await store.delete(digest);
        await client.removeBucket(bucket);
        await rm(cacheFolder, { recursive: true, force: true });
      },
    };
  });
});

describe('a store that misbehaves', () => {
  let server: Server;
  let cacheFolder: string;
  let behave: RequestListener;
  beforeEach(async () => {
    cacheFolder = await mkdtemp(join(tmpdir(), 'perennial-s3-'));
    behave = (_request, response) => response.end();
    server = createServer((request, response) => behave(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(cacheFolder, { recursive: true, force: true });
  });

  function open(deadlineMilliseconds = 5_000): Promise<S3ArtifactStore> {
    const { port } = server.address() as AddressInfo;
    const account = { accessKey: 'someone', secretKey: 'something' };
    return S3ArtifactStore.open({
      endpoint: `http://127.0.0.1:${port}`,
      bucket: 'artifacts',
      ...account,
      cacheFolder,
      deadlineMilliseconds,
    });
  }

  it('is given up when it never answers', async () => {
    behave = () => undefined;
    await expect(open(20)).rejects.toBeInstanceOf(ArtifactStoreUnavailableError);
  });

  it('is asked three times when it answers with errors', async () => {
    let asked = 0;
    behave = (_request, response) => {
      asked++;
      response.writeHead(503).end();
    };
    await expect(open()).rejects.toMatchObject({ code: 'unavailable', transient: true });
    expect(asked).toBe(3);
  });

  it('is not believed when it lost what it took', async () => {
    const store = await open();
    behave = (request, response) => {
      const missing = request.method === 'HEAD';
      response.writeHead(missing ? 404 : 200, { etag: '"0"' }).end();
    };
    await expect(store.put(Buffer.from('bytes'))).rejects.toBeInstanceOf(ArtifactStoreUnavailableError);
  });

  it('is reported, and nothing is kept of it, when it gives other bytes than were asked for', async () => {
    const store = await open();
    behave = (_request, response) =>
      response.writeHead(200, { 'content-length': 5, etag: '"0"' }).end('other');
    const digest = digestOf(Buffer.from('bytes'));
    for (const ask of [
      () => store.get(digest),
      () => store.fetchFile(digest),
      () => store.fetchFile(digest),
    ]) {
      await expect(ask()).rejects.toMatchObject({
        code: 'artifact-corrupt',
        found: digestOf(Buffer.from('other')),
      });
    }
  });

  it('is read from once for a file that is asked for again', async () => {
    const store = await open();
    let reads = 0;
    behave = (request, response) => {
      if (request.method === 'GET') reads++;
      response.writeHead(200, { 'content-length': 5, etag: '"0"' }).end('bytes');
    };
    const digest = digestOf(Buffer.from('bytes'));
    expect(await store.fetchFile(digest)).toBe(await store.fetchFile(digest));
    expect(reads).toBe(1);
  });
});
