import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '@perennial/client';
import { socketUrl } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { pipelineSource } from '../harness/pipeline-source.ts';
import { runToEnd, scratchFolder, writeFiles } from '../harness/test-platform.ts';
import { makeVisits, toCsv } from '../harness/visits.ts';
import { REPOSITORY } from './compose-file.ts';
import { adminToken, startNatively, stopAll, type NativeService } from './native-services.ts';

const NAMES = ['server', 'scheduler', 'worker-1', 'worker-2'];

let folder: string;
let remove: () => Promise<void>;
let database: TestDatabase;
let databaseUrl: string;
let services: NativeService[] = [];

beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
  await writeFiles(folder, {
    'pipelines/visits.csv': toCsv(makeVisits({ from: '2024-03-01', days: 15, perDay: 300 })),
    'pipelines/visits/pipeline.ts': pipelineSource({ name: 'visits' }),
  });
  database = await createTestDatabase();
  const { address } = database;
  databaseUrl = 'url' in address ? address.url : socketUrl(address.connection);
});
afterEach(async () => {
  await stopAll(services);
  services = [];
});
afterAll(async () => {
  await database.drop();
  await remove();
});

/** The store at S3_TEST_ENDPOINT, `http://user:secret@host:port`. */
const endpoint = process.env['S3_TEST_ENDPOINT'];

describe('the services of docker-compose.yml, run on this machine', () => {
  it('are each well by their own health check', { timeout: 120_000 }, async () => {
    services = await startNatively({ folder, databaseUrl });
    expect(services.map(({ name }) => name)).toEqual(NAMES);
  });

  it.skipIf(endpoint === undefined)(
    'run a pipeline together, with artifacts in the store at S3_TEST_ENDPOINT',
    { timeout: 180_000 },
    async () => {
      const { username, password, origin } = new URL(endpoint ?? '');
      const s3 = {
        endpoint: origin,
        accessKey: decodeURIComponent(username),
        secretKey: decodeURIComponent(password),
      };
      const pipelines = join(folder, 'pipelines');
      services = await startNatively({ folder: join(folder, 's3'), databaseUrl, s3, pipelines });
      const server = services.find(({ name }) => name === 'server');
      const client = createClient({ baseUrl: server?.url ?? '', token: adminToken() });
      const { id } = await client.startRun({
        params: { pipeline: 'visits' },
        body: { asOf: '2024-03-10T00:00:00Z' },
      });
      expect(await runToEnd(client, id)).toMatchObject({ state: 'succeeded', version: 1, error: null });
    },
  );
});

describe('deploy/healthcheck.mjs', () => {
  it('fails where nobody answers, and says where it asked', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(REPOSITORY, 'deploy/healthcheck.mjs')], {
      env: { PERENNIAL_PORT: '9' },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('http://127.0.0.1:9/healthz: ');
  });
});

describe('deploy/make-bucket.mjs', () => {
  const make = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [join(REPOSITORY, 'deploy/make-bucket.mjs')], { env, encoding: 'utf8' });

  it('names the variable that is missing', () => {
    const { status, stderr } = make({ S3_ENDPOINT: 'http://127.0.0.1:9' });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'S3_BUCKET is not set.\n' });
  });

  it('fails where no store answers', () => {
    const { status, stderr } = make({
      S3_ENDPOINT: 'http://127.0.0.1:9',
      S3_BUCKET: 'bucket',
      S3_ACCESS_KEY: 'someone',
      S3_SECRET_KEY: 'something',
    });
    expect(status).toBe(1);
    expect(stderr).not.toBe('');
  });
});
