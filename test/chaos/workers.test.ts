import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError, everyItem, type Client } from '@perennial/client';
import type { Run } from '@perennial/contract';
import { testSigning } from '@perennial/registry/testing';
import { createTestBucket, hasTestStore, type TestBucket } from '@perennial/storage/testing';
import { Fleet } from '../harness/fleet.ts';
import { pipelineSource } from '../harness/pipeline-source.ts';
import { RestartablePostgres } from '../harness/restartable-postgres.ts';
import { scratchFolder, writeFiles } from '../harness/test-platform.ts';
import { makeVisits, toCsv } from '../harness/visits.ts';

/**
 * A server and two workers on one PostgreSQL (and one S3 server, where `S3_TEST_ENDPOINT` names one): workers are killed, the database is restarted, a worker is
 * stopped past its lease. The long form, `npm run chaos`, has 50 runs and a kill every ten seconds.
 */
const LONG = Number(process.env['PERENNIAL_TEST_KILLS'] ?? 5) >= 20;
const PIPELINES = LONG ? ['one', 'two', 'three', 'four', 'five'] : ['one', 'two'];
const DAYS = LONG ? 10 : 3;
const KILL_EVERY_MILLISECONDS = LONG ? 10_000 : 4_000;
const DATABASE_RESTARTS = LONG ? 2 : 1;
const LEASE = '3s';

let folder: string;
let remove: () => Promise<void>;
let postgres: RestartablePostgres;
let fleet: Fleet;
let bucket: TestBucket | undefined;

beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
  const visits = makeVisits({ from: '2024-03-01', days: 25, perDay: 100 });
  await writeFiles(folder, { 'pipelines/visits.csv': toCsv(visits) });
  for (const name of [...PIPELINES, 'stalled']) {
    await writeFiles(folder, { [`pipelines/${name}/pipeline.ts`]: pipelineSource({ name }) });
  }
  postgres = await RestartablePostgres.start(join(folder, 'postgres'));
  bucket = hasTestStore ? await createTestBucket() : undefined;
  await writeFiles(folder, { 'signing.pem': testSigning().pem });
  fleet = new Fleet({
    DATABASE_URL: postgres.url,
    PERENNIAL_SIGNING_KEY: join(folder, 'signing.pem'),
    PERENNIAL_HOME: join(folder, 'home'),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_PORT: '0',
    PERENNIAL_LOG_LEVEL: 'silent',
    PERENNIAL_WORKER_LEASE: LEASE,
    ...(bucket === undefined ? {} : s3Environment(bucket)),
  });
}, 120_000);
afterAll(async () => {
  await fleet.stopAll();
  await postgres.stop();
  await bucket?.remove();
  await remove();
}, 60_000);

/** The fleet's artifacts are in a bucket where there is an S3 server, else in the folder that all share. */
function s3Environment({ account, bucket }: TestBucket): Record<string, string> {
  return {
    S3_ENDPOINT: account.endpoint,
    S3_ACCESS_KEY: account.accessKey,
    S3_SECRET_KEY: account.secretKey,
    S3_BUCKET: bucket,
  };
}

const asOf = (day: number) => new Date(Date.UTC(2024, 2, 11 + day)).toISOString();

/** A request that a restarting database may refuse with 503 is made again. */
async function persist<Answer>(request: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status < 500 || attempt === 100) throw error;
      await sleep(100);
    }
  }
}

async function allRuns(client: Client): Promise<Run[]> {
  const runs: Run[] = [];
  for await (const run of everyItem((cursor) => client.listRuns({ query: { limit: 500, cursor } })))
    runs.push(run);
  return runs;
}

/** Kills the workers in turn and restarts the database, until every run has ended. */
async function disturbUntilDone(client: Client): Promise<{ kills: number; restarts: number }> {
  let kills = 0;
  let restarts = 0;
  for (;;) {
    await sleep(KILL_EVERY_MILLISECONDS);
    const runs = await persist(() => allRuns(client));
    if (runs.every((run) => run.endedAt !== null)) return { kills, restarts };
    const victim = `worker ${kills % 2}`;
    await fleet.kill(victim);
    kills += 1;
    if (kills % 2 === 1 && restarts < DATABASE_RESTARTS) {
      await postgres.restart();
      restarts += 1;
    }
    await fleet.start(victim, 'worker');
  }
}

async function eventTypes(client: Client, run: Run): Promise<string[]> {
  const { items } = await client.listRunEvents({ params: { run: run.id }, query: { limit: 500 } });
  expect(items.map((item) => item.sequence)).toEqual(items.map((_, i) => i + 1));
  return items.map(({ event }) => ('step' in event ? `${event.type} ${event.step}` : event.type));
}

describe('server and two workers', () => {
  it(
    `finish ${PIPELINES.length * DAYS} runs, each once, while workers are killed and the database restarts`,
    { timeout: 900_000 },
    async () => {
      const { client } = await fleet.start('server', 'server');
      await fleet.start('worker 0', 'worker');
      await fleet.start('worker 1', 'worker');
      const wanted = PIPELINES.flatMap((pipeline) =>
        Array.from({ length: DAYS }, (_, day) => ({ pipeline, day })),
      );
      await Promise.all(
        wanted.map(({ pipeline, day }) =>
          client.startRun({ params: { pipeline }, body: { asOf: asOf(day) } }),
        ),
      );
      const { kills, restarts } = await disturbUntilDone(client);
      expect(kills).toBeGreaterThan(0);
      expect(restarts).toBe(DATABASE_RESTARTS);

      const runs = await allRuns(client);
      expect(runs).toHaveLength(wanted.length);
      expect(
        runs.filter((run) => run.state !== 'succeeded').map((run) => [run.id, run.state, run.error]),
      ).toEqual([]);
      for (const run of runs) {
        const types = await eventTypes(client, run);
        const ends = types.filter((type) => type.startsWith('step-succeeded') || type === 'succeeded');
        expect(ends).toEqual([
          'step-succeeded data',
          'step-succeeded training',
          'step-succeeded validation',
          'step-succeeded registration',
          'succeeded',
        ]);
      }
      for (const pipeline of PIPELINES) {
        const versions = runs.filter((run) => run.pipeline === pipeline).map((run) => run.version ?? 0);
        expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: DAYS }, (_, i) => i + 1));
      }
    },
  );

  it('let nothing be written by a worker that was stopped past its lease', { timeout: 120_000 }, async () => {
    const { client } = fleet.get('server');
    await fleet.kill('worker 1');
    const stalled = fleet.get('worker 0');
    const { id } = await client.startRun({ params: { pipeline: 'stalled' }, body: { asOf: asOf(0) } });
    await untilEvent(client, id, 'step-started training');
    stalled.signal('SIGSTOP');
    await fleet.start('worker 2', 'worker');
    await untilEvent(client, id, 'succeeded');
    const before = await client.listRunEvents({ params: { run: id }, query: { limit: 500 } });
    stalled.signal('SIGCONT');
    // It lets go of its job only after it has tried to write what it had.
    await stalled.stop();
    expect(await client.listRunEvents({ params: { run: id }, query: { limit: 500 } })).toEqual(before);
    expect(before.items.filter(({ event }) => event.type === 'started')).toHaveLength(2);
    const { latestVersion } = await client.getModel({ params: { model: 'stalled' } });
    expect(latestVersion).toBe(1);
  });
});

/** Resolves once the run has had such an event. */
async function untilEvent(client: Client, run: Run['id'], type: string): Promise<void> {
  for (;;) {
    const { items } = await client.listRunEvents({ params: { run }, query: { limit: 500 } });
    const types = items.map(({ event }) => ('step' in event ? `${event.type} ${event.step}` : event.type));
    if (types.includes(type)) return;
    if (types.includes('failed')) throw new Error(`The run ${run} failed: ${JSON.stringify(items.at(-1))}`);
    await sleep(50);
  }
}
