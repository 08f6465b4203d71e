import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Engine } from '../engine.ts';
import { literal } from '../sql.ts';
import { joinOutputs } from './join-outputs.ts';
import { copyToParquet } from './parquet-copy.ts';

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'join-outputs-'));
  engine = await Engine.open({ threads: 1, memoryLimit: '256MB', folder, readable: [] });
});

afterAll(async () => {
  engine.close();
  await rm(folder, { recursive: true });
});

const signal = new AbortController().signal;

async function write(name: string, query: string): Promise<string> {
  const target = join(folder, `${name}.parquet`);
  const properties = { 'perennial.chunk': name };
  await engine.main.run(copyToParquet(query, { target, properties, compression: 'small' }));
  return target;
}

/** Keys of every shape that a dictionary, a bloom filter, statistics and nesting leave traces of, and answers. */
function rows(from: number, to: number): string {
  return `SELECT i AS id, 'airport ' || (i % 300) AS name, [i, i + 1] AS pair, if(i % 7 = 0, NULL, i * 0.5) AS half,
    CAST(i / 1e6 AS FLOAT) AS probability, i % 3 = 0 AS decision FROM range(${from}, ${to}) AS t(i)`;
}

async function joined(name: string, files: string[]): Promise<string> {
  await mkdir(join(folder, name));
  const target = join(folder, name, 'output.parquet');
  await joinOutputs({ files, target, properties: { 'perennial.batch': 'batch_1' }, signal });
  return target;
}

async function differing(file: string, query: string): Promise<number> {
  const other = `SELECT md5(CAST(t AS VARCHAR)) AS row FROM (${query}) AS t`;
  const own = `SELECT md5(CAST(t AS VARCHAR)) AS row FROM read_parquet(${literal(file)}) AS t`;
  const { differ } = await engine.main.row<{ differ: bigint }>(
    `SELECT count(*) AS differ FROM (${own}) AS a POSITIONAL JOIN (${other}) AS b WHERE a.row IS DISTINCT FROM b.row`,
  );
  return Number(differ);
}

async function groupRows(file: string): Promise<number[]> {
  const groups = await engine.main.rows<{ rows: bigint }>(
    `SELECT any_value(row_group_num_rows) AS rows FROM parquet_metadata(${literal(file)}) GROUP BY row_group_id ORDER BY row_group_id`,
  );
  return groups.map((group) => Number(group.rows));
}

it('copies row groups as they are, with everything that points into them', async () => {
  const files = [
    await write('a', rows(0, 200_000)),
    await write('b', rows(200_000, 322_880)),
    await write('c', rows(322_880, 400_000)),
  ];
  const output = await joined('alike', files);
  expect(await differing(output, rows(0, 400_000))).toBe(0);
  expect(await groupRows(output)).toEqual([122_880, 77_120, 122_880, 77_120]);
  const found = await engine.main.rows(
    `SELECT count(*)::INTEGER AS found FROM read_parquet(${literal(output)}) WHERE name = 'airport 299' AND id > 322880`,
  );
  expect(found).toEqual([{ found: 257 }]);
  const said = await engine.main.rows(
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${literal(output)})`,
  );
  expect(said).toEqual([{ key: 'perennial.batch', value: 'batch_1' }]);
});

it('packs small row groups anew', async () => {
  const files = [
    await write('d', rows(0, 1_000)),
    await write('e', rows(1_000, 1_001)),
    await write('f', rows(1_001, 2_500)),
  ];
  const output = await joined('small', files);
  expect(await differing(output, rows(0, 2_500))).toBe(0);
  expect(await groupRows(output)).toEqual([2_500]);
});

it('packs files anew that are not alike', async () => {
  const other = rows(40_000, 80_000).replace('SELECT i AS id', 'SELECT CAST(i AS INTEGER) AS id');
  const files = [await write('g', rows(0, 40_000)), await write('h', other)];
  const output = await joined('unlike', files);
  expect(await differing(output, rows(0, 80_000))).toBe(0);
});

it('stops when it is told to', async () => {
  const files = [await write('i', rows(0, 40_000))];
  await mkdir(join(folder, 'stopped'));
  const stopped = { files, target: join(folder, 'stopped', 'output.parquet'), properties: {} };
  await expect(joinOutputs({ ...stopped, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
});
