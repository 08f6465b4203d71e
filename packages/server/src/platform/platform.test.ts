import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketUrl } from '@perennial/storage';
import { createTestDatabase } from '@perennial/storage/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { ListenError } from '../errors.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { createLogger } from './logger.ts';
import { startPlatform } from './platform.ts';

let started: TestPlatform[] = [];
afterEach(async () => {
  for (const test of started) await test.stop();
  started = [];
});
async function start(...options: Parameters<typeof startTestPlatform>): Promise<TestPlatform> {
  const test = await startTestPlatform(...options);
  started.push(test);
  return test;
}

describe('a platform', () => {
  it('answers at its address as it does within the process', async () => {
    const { platform } = await start();
    const [outside, inside] = [
      await fetch(new URL('/healthz', platform.url)),
      await platform.app.request('/healthz'),
    ];
    expect(await outside.json()).toEqual(await inside.json());
  });

  it('is not ready any more once it is closed, and can be closed twice', async () => {
    const { platform } = await start();
    expect((await platform.app.request('/readyz')).status).toBe(200);
    await platform.close();
    expect(await (await platform.app.request('/readyz')).json()).toEqual({
      ready: false,
      parts: { serving: false, database: false },
    });
    expect((await platform.app.request('/readyz')).status).toBe(503);
    await expect(platform.close()).resolves.toBeUndefined();
    await expect(fetch(platform.url)).rejects.toThrow();
  });

  it('asks for the token that it was given, and for nothing where no secret is', async () => {
    const token = 'a-token-of-some-length';
    const { request } = await start({ variables: { PERENNIAL_ADMIN_TOKEN: token } });
    expect((await request('/v1/models')).status).toBe(401);
    expect((await request('/v1/models', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await request('/healthz')).status).toBe(200);
  });

  it('that cannot listen closes what it had opened, so that another can start there', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const port = (other.address() as AddressInfo).port;
    const test = await createTestDatabase();
    const { database, address } = test;
    const home = await mkdtemp(join(tmpdir(), 'perennial-server-'));
    const url = 'url' in address ? address.url : socketUrl(address.connection);
    const variables = { PERENNIAL_HOME: home, PERENNIAL_PIPELINES: home, DATABASE_URL: url };
    const startAt = (given: number) =>
      startPlatform({
        config: loadConfig({ ...variables, PERENNIAL_PORT: String(given) }, {}),
        logger: createLogger('silent'),
      });
    await expect(startAt(port)).rejects.toBeInstanceOf(ListenError);
    expect(await database.sql`select worker from worker_heartbeats`).toEqual([]);
    // The journal's folder is for one platform at a time.
    await (await startAt(0)).close();
    other.close();
    await test.drop();
    await rm(home, { recursive: true });
  });
});
