import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiError, everyItem, type Client } from '@perennial/client';
import { testSigning } from '@perennial/registry/testing';
import { Askers } from '../harness/askers.ts';
import { pipelineSource } from '../harness/pipeline-source.ts';
import { RestartablePostgres } from '../harness/restartable-postgres.ts';
import { runToEnd, scratchFolder, writeFiles } from '../harness/test-platform.ts';
import { VictimProcess } from '../harness/victim-process.ts';
import { makeVisits, toCsv } from '../harness/visits.ts';

/**
 * A server that is asked for predictions without a pause is killed with SIGKILL, and its database is stopped under it. The long form, `npm run chaos`, has
 * 50 kills and a minute without the database.
 */
const LONG = Number(process.env['PERENNIAL_TEST_KILLS'] ?? 5) >= 20;
const KILLS = LONG ? 50 : 3;
const OUTAGE_MILLISECONDS = LONG ? 60_000 : 3_000;
const CALLERS = 16;
const MODEL = 'visits';
const VISITS = makeVisits({ from: '2024-03-01', days: 11, perDay: 200 });

let folder: string;
let remove: () => Promise<void>;
let postgres: RestartablePostgres;
let environment: Record<string, string>;

beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
  await writeFiles(folder, {
    'pipelines/visits.csv': toCsv(VISITS),
    'pipelines/visits/pipeline.ts': pipelineSource({ name: MODEL }),
    'signing.pem': testSigning().pem,
  });
  postgres = await RestartablePostgres.start(join(folder, 'postgres'));
  environment = {
    DATABASE_URL: postgres.url,
    PERENNIAL_SIGNING_KEY: join(folder, 'signing.pem'),
    PERENNIAL_HOME: join(folder, 'home'),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_PORT: '0',
    PERENNIAL_LOG_LEVEL: 'silent',
  };
  const platform = await VictimProcess.start(environment);
  const run = await platform.client.startRun({ params: { pipeline: MODEL }, body: {} });
  expect(await runToEnd(platform.client, run.id)).toMatchObject({ state: 'succeeded', version: 1 });
  await platform.stop();
}, 120_000);
afterAll(async () => {
  await postgres.stop();
  await remove();
}, 60_000);

const serve = () => VictimProcess.start({ ...environment, PERENNIAL_ROLES: 'server' });

/** How often each key is on record, and under which id. */
async function onRecord(client: Client): Promise<Map<string, string[]>> {
  const ids = new Map<string, string[]>();
  const pages = everyItem((cursor) =>
    client.listPredictions({ query: { model: MODEL, limit: 500, cursor } }),
  );
  for await (const { id, key } of pages) ids.set(key ?? '', [...(ids.get(key ?? '') ?? []), id]);
  return ids;
}

/** Everything that was acknowledged is on record, and nothing twice. */
async function checkRecords(client: Client, { acknowledged }: Askers): Promise<void> {
  const found = await onRecord(client);
  const lost = [...acknowledged].filter(([key, id]) => found.get(key)?.[0] !== id);
  const doubled = [...found].filter(([, ids]) => ids.length > 1);
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
}

it(
  `a server that is killed ${KILLS} times under load loses and doubles no acknowledged prediction`,
  async () => {
    const askers = new Askers(MODEL, VISITS, 'killed');
    for (let life = 0; life < KILLS; life++) {
      const server = await serve();
      askers.start(server.client, CALLERS);
      // At the first answers, in the middle of a batch that is being shipped, and later.
      await askers.moreAcknowledged(1 + Math.floor(Math.random() ** 2 * 1_500));
      await server.kill();
      await askers.stop();
    }
    expect(askers.failures.filter((error) => error instanceof ApiError)).toEqual([]);
    const server = await serve();
    try {
      await checkRecords(server.client, askers);
      expect(askers.acknowledged.size).toBeGreaterThanOrEqual(KILLS);
    } finally {
      await server.stop();
    }
  },
  60_000 + KILLS * 30_000,
);

it(
  `a database that is away for ${OUTAGE_MILLISECONDS / 1_000} s costs no request, and everything is shipped when it is back`,
  async () => {
    const server = await serve();
    const askers = new Askers(MODEL, VISITS, 'outage');
    try {
      askers.start(server.client, CALLERS);
      await askers.moreAcknowledged(500);
      await postgres.stop();
      await Promise.all([sleep(OUTAGE_MILLISECONDS), askers.moreAcknowledged(500)]);
      await postgres.resume();
      await askers.moreAcknowledged(500);
      await askers.stop();
      expect(askers.failures).toEqual([]);
      await whenReachable(() => checkRecords(server.client, askers));
      const metrics = await (await fetch(new URL('/metrics', server.client.baseUrl))).text();
      expect(metrics).toMatch(/^perennial_shipper_failures_total [1-9]/m);
      expect(metrics).toMatch(/^perennial_shipper_waiting_records 0$/m);
    } finally {
      await askers.stop();
      await server.stop();
    }
  },
  120_000 + OUTAGE_MILLISECONDS,
);

/** The server's connections may still be those that were cut: it answers 503 until it has made new ones. */
async function whenReachable(look: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await look();
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status < 500 || attempt === 100) throw error;
      await sleep(100);
    }
  }
}
