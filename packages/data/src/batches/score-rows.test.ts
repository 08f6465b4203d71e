import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Signature } from '@perennial/contract';
import type { CodedBatch, OutputBatch } from '@perennial/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Engine } from '../engine.ts';
import { literal } from '../sql.ts';
import { scoreRows } from './score-rows.ts';

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'score-rows-'));
  engine = await Engine.open({ threads: 1, memoryLimit: '256MB', folder, readable: [] });
});

afterAll(async () => {
  engine.close();
  await rm(folder, { recursive: true });
});

const ROWS = 300_000;
const GROUP = 100_352;

/** Numbers and texts with gaps and infinities; keys that are flat, with and without dictionaries, and one that is nested. */
async function source(name: string): Promise<string> {
  const file = join(folder, `${name}.parquet`);
  await engine.main.run(
    `COPY (SELECT i AS id, [i] AS nested, if(i % 11 = 0, NULL, 'key ' || (i % 500)) AS name,
       CASE WHEN i % 7 = 0 THEN NULL WHEN i % 13 = 0 THEN 'inf'::DOUBLE ELSE i / 1e6 END AS x,
       'text ' || (i % 3000) AS c FROM range(${ROWS}) AS t(i))
     TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${GROUP})`,
  );
  return file;
}

const binary: Signature = {
  inputs: [
    { name: 'x', type: 'number' },
    { name: 'c', type: 'text' },
  ],
  output: { kind: 'binary', threshold: 0.5 },
};

/** Tells what it was given: x, or what the text ends in where there is none; and whether there was one. */
function tell({ rows, columns }: CodedBatch): { value: Float32Array; there: Uint8Array } {
  const { x, c } = columns;
  if (!(x instanceof Float64Array) || c === undefined || !('codes' in c))
    throw new TypeError('other columns');
  const value = new Float32Array(rows);
  const there = new Uint8Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const number = x[row] ?? NaN;
    there[row] = Number.isNaN(number) ? 0 : 1;
    value[row] = there[row] === 1 ? number : Number(c.texts[c.codes[row] ?? 0]?.slice(5));
  }
  return { value, there };
}

const scores = {
  binary: (batch: CodedBatch): Promise<OutputBatch> => {
    const { value, there } = tell(batch);
    return Promise.resolve({ kind: 'binary', probability: value, decision: there });
  },
  regression: (batch: CodedBatch): Promise<OutputBatch> =>
    Promise.resolve({ kind: 'regression', value: tell(batch).value }),
};

const given = `CAST(if(i % 7 = 0 OR i % 13 = 0, i % 3000, i / 1e6) AS FLOAT)`;
const there = `NOT (i % 7 = 0 OR i % 13 = 0)`;

interface Case {
  keys: string[];
  from?: number;
  rows?: number;
  kind?: 'binary' | 'regression';
}

async function scored(name: string, { keys, from = 0, rows = ROWS, kind = 'binary' }: Case): Promise<string> {
  const path = await source(name);
  await mkdir(join(folder, name));
  const target = join(folder, name, 'scored.parquet');
  const signature: Signature = kind === 'binary' ? binary : { ...binary, output: { kind } };
  await scoreRows({
    ...{ source: { path, file: 'asked.parquet' }, from, rows, signature, keys, target },
    ...{ score: scores[kind], properties: { 'perennial.chunk': '3' } },
    signal: new AbortController().signal,
  });
  return target;
}

/** How many rows are other than they should be, of how many. */
async function compared(file: string, expected: string): Promise<{ rows: number; differ: number }> {
  const { rows, differ } = await engine.main.row<{ rows: bigint; differ: bigint }>(
    `SELECT count(*) AS rows, count(*) FILTER (a.t IS DISTINCT FROM b.t) AS differ
     FROM (SELECT CAST(t AS VARCHAR) AS t FROM read_parquet(${literal(file)}) AS t) AS a
     POSITIONAL JOIN (SELECT CAST(t AS VARCHAR) AS t FROM (${expected}) AS t) AS b`,
  );
  return { rows: Number(rows), differ: Number(differ) };
}

async function groupRows(file: string): Promise<number[]> {
  const groups = await engine.main.rows<{ rows: bigint }>(
    `SELECT any_value(row_group_num_rows) AS rows FROM parquet_metadata(${literal(file)}) GROUP BY row_group_id ORDER BY row_group_id`,
  );
  return groups.map((group) => Number(group.rows));
}

const KEYS = `i AS id, if(i % 11 = 0, NULL, 'key ' || (i % 500)) AS name`;

it('copies keys as they lie in the file, with the answers beside them', async () => {
  const file = await scored('whole', { keys: ['id', 'name'] });
  const expected = `SELECT ${KEYS}, ${given} AS probability, ${there} AS decision FROM range(${ROWS}) AS t(i)`;
  expect(await compared(file, expected)).toEqual({ rows: ROWS, differ: 0 });
  expect(await groupRows(file)).toEqual([GROUP, GROUP, ROWS - 2 * GROUP]);
  const found = `SELECT count(*)::INTEGER AS found FROM read_parquet(${literal(file)}) WHERE`;
  expect(await engine.main.rows(`${found} probability > 2998`)).toEqual([{ found: 22 }]);
  expect(await engine.main.rows(`${found} name = 'key 7' AND id > 200704`)).toEqual([{ found: 180 }]);
});

it('does so of some row groups, and in the order that is asked for', async () => {
  const file = await scored('some', { keys: ['name', 'id'], from: GROUP, rows: GROUP, kind: 'regression' });
  const range = `range(${GROUP}, ${2 * GROUP}) AS t(i)`;
  const expected = `SELECT if(i % 11 = 0, NULL, 'key ' || (i % 500)) AS name, i AS id, ${given} AS value FROM ${range}`;
  expect(await compared(file, expected)).toEqual({ rows: GROUP, differ: 0 });
});

it('passes nested keys, and rows that begin within a row group, through the data engine', async () => {
  const file = await scored('within', { keys: ['nested', 'id'], from: 1_000, rows: 150_000 });
  const range = 'range(1000, 151000) AS t(i)';
  const expected = `SELECT [i] AS nested, i AS id, ${given} AS probability, ${there} AS decision FROM ${range}`;
  expect(await compared(file, expected)).toEqual({ rows: 150_000, differ: 0 });
});

it('writes answers alone where no key is asked for', async () => {
  const file = await scored('answers', { keys: [] });
  const expected = `SELECT ${given} AS probability, ${there} AS decision FROM range(${ROWS}) AS t(i)`;
  expect(await compared(file, expected)).toEqual({ rows: ROWS, differ: 0 });
});
