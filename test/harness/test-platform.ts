import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, watchRun, type Client } from '@perennial/client';
import { ManualClock, runSchema, type Run } from '@perennial/contract';
import { createLogger, loadConfig, startPlatform, type Config, type Platform } from '@perennial/server';
import { socketUrl } from '@perennial/storage';
import { createTestDatabase } from '@perennial/storage/testing';
import { passableHome } from '@perennial/storage/testing/home';

/** Inside the repository, so that pipeline files find `@perennial/pipeline`. */
const SCRATCH = fileURLToPath(new URL('../../.cache', import.meta.url));

export interface TestPlatformOptions {
  /** Files by path below the platform's folder: `pipelines/visits/pipeline.ts`, `pipelines/visits.csv`. */
  files: Record<string, string | Uint8Array>;
  now?: string;
  config?: Partial<Config>;
}

export interface TestPlatform {
  platform: Platform;
  client: Client;
  clock: ManualClock;
  folder: string;
  /** Runs a pipeline to its end. */
  run: (pipeline: string, options?: { asOf?: string; force?: boolean }) => Promise<Run>;
  /** Sends a request as it is, for what the client would not let through. */
  request: (path: string, init?: RequestInit) => Promise<Response>;
  stop: () => Promise<void>;
}

/** A folder of its own below the repository, with a platform's home in it, removed by the returned function. */
export async function scratchFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  await mkdir(SCRATCH, { recursive: true });
  const folder = await mkdtemp(join(SCRATCH, 'platform-'));
  await passableHome(folder);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export async function writeFiles(folder: string, files: TestPlatformOptions['files']): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** The whole platform on a database of its own, listening on a free port. */
export async function startTestPlatform({ files, now, config }: TestPlatformOptions): Promise<TestPlatform> {
  const { folder, remove } = await scratchFolder();
  await mkdir(join(folder, 'pipelines'), { recursive: true });
  await writeFiles(folder, files);
  const database = await createTestDatabase();
  const clock = new ManualClock(now ?? '2024-03-11T03:00:00Z');
  const { address } = database;
  const platform = await startPlatform({
    config: {
      ...testConfig(folder, 'url' in address ? address.url : socketUrl(address.connection)),
      ...config,
    },
    logger: createLogger('silent'),
    clock,
  });
  const client = createClient({ baseUrl: platform.url });
  return {
    platform,
    client,
    clock,
    folder,
    run: async (pipeline, options = {}) => {
      const { id } = await client.startRun({ params: { pipeline }, body: options });
      return runToEnd(client, id);
    },
    request: (path, init) => fetch(new URL(path, platform.url), init),
    stop: async () => {
      await platform.close();
      await database.drop();
      await remove();
    },
  };
}

/** Watches a run until it has ended. */
export async function runToEnd(client: Client, id: Run['id']): Promise<Run> {
  for await (const message of watchRun(client, id))
    if (message.type === 'end') return runSchema.parse(message.data);
  throw new Error(`The stream of ${id} ended before the run did.`);
}

function testConfig(folder: string, url: string): Config {
  const config = loadConfig({
    PERENNIAL_HOME: join(folder, 'home'),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_PORT: '0',
  });
  return { ...config, database: { kind: 'url', url } };
}
