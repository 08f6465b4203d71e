import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '@perennial/client';
import type { Precomputation } from '@perennial/contract';
import { testSigning } from '@perennial/registry/testing';
import { openDatabase, type Database } from '@perennial/storage';
import { Fleet } from '../harness/fleet.ts';
import { pipelineSource } from '../harness/pipeline-source.ts';
import { RestartablePostgres } from '../harness/restartable-postgres.ts';
import { runToEnd, scratchFolder, writeFiles } from '../harness/test-platform.ts';
import { makeVisits, toCsv } from '../harness/visits.ts';

/** A server and two workers that compute answers before they are asked for; the workers are killed at it. The long form, `npm run chaos`, kills oftener. */
const KILLS = Math.min(Number(process.env['PERENNIAL_TEST_KILLS'] ?? 3), 20);
/** In chunks of 20,000. */
const ENTITIES = 60_000 * KILLS;

let folder: string;
let remove: () => Promise<void>;
let postgres: RestartablePostgres;
let fleet: Fleet;
let database: Database;

beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
  await writeFiles(folder, {
    'pipelines/visits.csv': toCsv(makeVisits({ from: '2024-03-01', days: 10, perDay: 100 })),
    'pipelines/shop/pipeline.ts': pipelineSource({
      name: 'shop',
      train: 'mlp({ hidden: [4], epochs: 1, batchSize: 128 })',
      more: "serving: { modes: ['online', 'offline'] },",
    }),
    'signing.pem': testSigning().pem,
  });
  postgres = await RestartablePostgres.start(join(folder, 'postgres'));
  fleet = new Fleet({
    DATABASE_URL: postgres.url,
    PERENNIAL_SIGNING_KEY: join(folder, 'signing.pem'),
    PERENNIAL_HOME: join(folder, 'home'),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_PORT: '0',
    PERENNIAL_LOG_LEVEL: 'silent',
    PERENNIAL_WORKER_LEASE: '3s',
  });
}, 120_000);
afterAll(async () => {
  await fleet.stopAll();
  await database?.close();
  await postgres.stop();
  await remove();
}, 60_000);

async function learn(client: Client): Promise<void> {
  const body = { asOf: '2024-03-11T00:00:00.000Z' };
  const { id } = await client.startRun({ params: { pipeline: 'shop' }, body });
  expect(await runToEnd(client, id)).toMatchObject({ state: 'succeeded' });
  await database.sql`
    insert into entity_features (model, key, features, at, dataset)
    select 'shop', 'e' || n, jsonb_build_object('pages', n % 20, 'country', 'de'), now(), 'test'
    from generate_series(1, ${ENTITIES}) n`;
}

/** Kills a worker each time that something was done since the last, until it has happened so often or all is done. */
async function disturb(
  client: Client,
  asked: Precomputation,
): Promise<{ ended: Precomputation; kills: number }> {
  const params = { model: 'shop', precomputation: asked.id };
  let kills = 0;
  for (let done = 0; ;) {
    const now = await client.getPrecomputation({ params });
    if (now.state !== 'queued' && now.state !== 'running') return { ended: now, kills };
    if (now.done > done && kills < KILLS) {
      done = now.done;
      const victim = `worker ${kills % 2}`;
      await fleet.kill(victim);
      await fleet.start(victim, 'worker');
      kills += 1;
    }
    await sleep(20);
  }
}

describe('workers that are killed between and within their chunks', () => {
  it('cost nothing but time: every entity has one answer, and all are put into use at once', async () => {
    const { client } = await fleet.start('server', 'server');
    database = await openDatabase({ url: postgres.url });
    await Promise.all([0, 1].map((worker) => fleet.start(`worker ${worker}`, 'worker')));
    await learn(client);
    const [counted] = await database.sql<{ n: string }[]>`select count(*) as n from entity_features`;
    const rows = Number(counted?.n);
    const asked = await client.startPrecomputation({ params: { model: 'shop' }, body: {} });
    const { ended, kills } = await disturb(client, asked);
    expect(kills).toBeGreaterThan(0);
    expect(ended).toMatchObject({ state: 'live', rows, done: rows, refused: 0 });
    const [answers] = await database.sql<{ n: string; precomputations: string }[]>`
      select count(*) as n, count(distinct precomputation) as precomputations from precomputed_predictions`;
    expect(answers).toEqual({ n: String(rows), precomputations: '1' });
  }, 600_000);
});
