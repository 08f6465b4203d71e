import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '@perennial/client';
import type { Batch } from '@perennial/contract';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { testSigning } from '@perennial/registry/testing';
import { FileArtifactStore } from '@perennial/storage';
import { Fleet } from '../harness/fleet.ts';
import { RestartablePostgres } from '../harness/restartable-postgres.ts';
import { scratchFolder, writeFiles } from '../harness/test-platform.ts';

/**
 * A server and two workers, of which one is killed with SIGKILL at a random moment of each batch and started again. `PERENNIAL_TEST_KILLS` says how often; 20 in `npm run chaos`.
 */
const KILLS = Math.min(20, Number(process.env['PERENNIAL_TEST_KILLS'] ?? 3));
const LONGEST_LIFE_MILLISECONDS = 2_000;
const FILES = 8;
const ROWS = 2_000;

let folder: string;
let remove: () => Promise<void>;
let postgres: RestartablePostgres;
let fleet: Fleet;
let client: Client;

beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
  await writeFiles(folder, { 'signing.pem': testSigning().pem, 'pipelines/none.txt': '' });
  for (let file = 0; file < FILES; file++)
    await writeFiles(folder, { [`pipelines/rows-${file}.csv`]: csv(file * ROWS) });
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
  ({ client } = await fleet.start('server', 'server'));
  for (const worker of ['a', 'b']) await fleet.start(worker, 'worker');
  const body = { file: Buffer.from(goodFile()).toString('base64'), sample: GOOD_SAMPLE, output: GOOD_OUTPUT };
  await client.importVersion({ params: { model: 'churn' }, body });
}, 120_000);
afterAll(async () => {
  await fleet.stopAll();
  await postgres.stop();
  await remove();
}, 60_000);

function csv(first: number): string {
  const rows = Array.from({ length: ROWS }, (_, i) => `${first + i},${(first + i) % 7},${i % 5}`);
  return ['id,amount,visits', ...rows].join('\n');
}

async function endOf({ id }: Batch): Promise<Batch> {
  for (;;) {
    const batch = await client.getBatch({ params: { batch: id } });
    if (batch.endedAt !== null) return batch;
    await sleep(100);
  }
}

/** Every row once and in its place; and nothing in the store but what is on record. */
async function check(batch: Batch, outputs: Set<string>): Promise<void> {
  const rows = FILES * ROWS;
  expect(batch).toMatchObject({ state: 'completed', error: null, rows, done: rows, output: { rows } });
  const response = await client.transport.send({
    ...{ method: 'GET', path: '/v1/batches/{batch}/output', params: { batch: batch.id } },
    accept: 'application/octet-stream',
  });
  const file = join(folder, 'output.parquet');
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(*) AS rows, count(DISTINCT id) AS ids, count(*) FILTER (id <> file_row_number) AS misplaced
     FROM read_parquet('${file}', file_row_number = true)`,
  );
  expect(reader.getRowObjectsJson()).toEqual([{ rows: String(rows), ids: String(rows), misplaced: '0' }]);
  connection.closeSync();
  instance.closeSync();
  outputs.add(batch.output?.digest ?? '');
}

it(
  `completes ${KILLS} batches of which each loses a worker: every row once, one output each`,
  async () => {
    const input = { kind: 'files' as const, format: 'csv' as const, path: 'rows-*.csv' };
    const outputs = new Set<string>();
    for (let kill = 0; kill < KILLS; kill++) {
      const batch = await client.startBatch({
        params: { model: 'churn' },
        body: { input, keys: ['id'], version: 1 },
      });
      await sleep(Math.random() * LONGEST_LIFE_MILLISECONDS);
      const victim = kill % 2 === 0 ? 'a' : 'b';
      await fleet.kill(victim);
      await fleet.start(victim, 'worker');
      await check(await endOf(batch), outputs);
    }
    const { artifact } = await client.getVersion({ params: { model: 'churn', version: 1 } });
    const store = await FileArtifactStore.open({ folder: join(folder, 'home', 'artifacts') });
    const stored: string[] = [];
    for await (const digest of store.list()) stored.push(digest);
    // What a worker had put into the store when it was killed, and nobody put on record, retention finds.
    const known = stored.filter((digest) => digest === artifact || outputs.has(digest));
    expect(known).toHaveLength(outputs.size + 1);
  },
  60_000 + KILLS * 60_000,
);
