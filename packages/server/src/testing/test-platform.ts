import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@perennial/contract';
import { socketUrl, type Database } from '@perennial/storage';
import { createTestDatabase } from '@perennial/storage/testing';
import { loadConfig, type Config, type ConfigOverrides } from '../config/config.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { startPlatform, type Platform, type PlatformOptions } from '../platform/platform.ts';

export interface TestPlatform {
  platform: Platform;
  /** A connection of the test's own to the platform's database. */
  database: Database;
  clock: ManualClock;
  /** A request to the app, as one that was sent to localhost. */
  request: (path: string, init?: RequestInit) => Promise<Response>;
  stop: () => Promise<void>;
}

export interface TestPlatformOptions extends Pick<PlatformOptions, 'authenticate'> {
  /** @default one that writes nothing */
  logger?: Logger;
  variables?: ConfigOverrides;
}

/** The platform on a database and in a folder of its own, without a pipeline. */
export async function startTestPlatform({
  variables,
  logger = createLogger('silent'),
  ...options
}: TestPlatformOptions = {}): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-server-'));
  const test = await createTestDatabase();
  const { database, address } = test;
  const clock = new ManualClock('2024-03-11T03:00:00Z');
  await mkdir(join(folder, 'pipelines'));
  const remove = async () => {
    await test.drop();
    await rm(folder, { recursive: true, force: true });
  };
  const place = { folder, url: 'url' in address ? address.url : socketUrl(address.connection) };
  const config = testConfig(place, variables);
  const platform = await startPlatform({ config, logger, clock, ...options }).catch(
    async (error: unknown) => {
      await remove();
      throw error;
    },
  );
  return {
    platform,
    database,
    clock,
    request: async (path, init) => {
      const headers = new Headers(init?.headers);
      if (!headers.has('host')) headers.set('host', 'localhost');
      return platform.app.request(path, { ...init, headers });
    },
    stop: async () => {
      await platform.close();
      await remove();
    },
  };
}

function testConfig(
  { folder, url }: { folder: string; url: string },
  variables: ConfigOverrides = {},
): Config {
  return loadConfig(
    {
      PERENNIAL_HOME: join(folder, 'home'),
      PERENNIAL_PIPELINES: join(folder, 'pipelines'),
      PERENNIAL_PORT: '0',
      DATABASE_URL: url,
      ...variables,
    },
    {},
  );
}
