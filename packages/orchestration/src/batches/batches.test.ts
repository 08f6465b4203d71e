import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  InvalidRequestError,
  NotFoundError,
  RemovedError,
  type Batch,
  type BatchInput,
} from '@perennial/contract';
import { NoChampionError } from '@perennial/serving';
import { getModelVersion } from '@perennial/storage';
import { BatchBench, MODEL, ROWS, answersFor, runSql } from '../testing/batch-bench.ts';

let bench: BatchBench;
beforeEach(async () => {
  bench = await BatchBench.open();
});
afterEach(() => bench.close());

const files = (path: string, format: 'parquet' | 'csv' | 'ndjson' = 'parquet'): BatchInput => ({
  kind: 'files',
  format,
  path,
});

async function scored(input: BatchInput, keys: string[] = ['id']): Promise<Batch> {
  return bench.run(await bench.start({ input, keys }));
}

/** The rows of an output beside the answers of the model to the same rows one at a time. */
async function expectAnswers(batch: Batch, expected: unknown[], columns = 'probability, decision') {
  const rows = await bench.rows(batch, `SELECT ${columns} FROM file ORDER BY id`);
  expect(rows).toHaveLength(expected.length);
  rows.forEach((row, index) => {
    for (const [name, value] of Object.entries(expected[index] as Record<string, unknown>)) {
      if (typeof value === 'number') expect(row[name]).toBeCloseTo(value, 5);
      else if (Array.isArray(value))
        value.forEach((one, i) => expect((row[name] as number[])[i]).toBeCloseTo(one as number, 5));
      else expect(row[name]).toBe(value);
    }
  });
}

describe('a batch over files', () => {
  it.each(['parquet', 'csv', 'ndjson'] as const)(
    'of %s gives what the model answers, in the order of the rows',
    async (format) => {
      await bench.register('binary');
      await bench.write(`bills.${format}`);
      const batch = await scored(files(`bills.${format}`, format));
      expect(batch).toMatchObject({ state: 'completed', rows: 1_000, done: 1_000, error: null });
      expect(batch.output).toMatchObject({ rows: 1_000 });
      await expectAnswers(batch, await answersFor('binary'));
      const ids = await bench.rows(batch, 'SELECT id FROM file');
      expect(ids.map(({ id }) => Number(id))).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    },
  );

  it.each([
    ['multiclass', 'probabilities, decision'],
    ['regression', 'value'],
  ] as const)('is scored by a %s model', async (kind, columns) => {
    await bench.register(kind);
    await bench.write('bills.parquet');
    const batch = await scored(files('bills.parquet'));
    expect(batch.state).toBe('completed');
    await expectAnswers(batch, await answersFor(kind), columns);
  });
});

describe('what is passed through', () => {
  const KEYS = ['code', 'id', 'tags', 'day', 'label'];

  it('keeps its type and its values, missing ones too', async () => {
    await bench.register('binary');
    const query = `SELECT *, CASE WHEN id % 3 = 0 THEN NULL ELSE [id, id + 1] END AS tags, DATE '2024-01-01' + CAST(id AS INTEGER) AS day,
      nullif('n' || id, 'n5') AS label FROM (${ROWS})`;
    await bench.write('bills.parquet', query);
    const batch = await scored(files('bills.parquet'), KEYS);
    const kept = await bench.rows(batch, `SELECT ${KEYS.join(', ')} FROM file`);
    expect(kept).toEqual(await runSql(`SELECT ${KEYS.join(', ')} FROM (${query})`));
    const source = `read_parquet('${join(bench.folder, 'bills.parquet')}')`;
    const types = (from: string) =>
      runSql(`SELECT column_name, column_type FROM (DESCRIBE SELECT ${KEYS.join(', ')} FROM ${from})`);
    const file = await bench.artifacts.fetchFile(batch.output?.digest ?? '');
    expect(await types(`read_parquet('${file}')`)).toEqual(await types(source));
  });

  it('is nothing where nothing is asked for', async () => {
    await bench.register('regression');
    await bench.write('bills.parquet');
    const batch = await scored(files('bills.parquet'), []);
    expect(Object.keys((await bench.rows(batch))[0] ?? {})).toEqual(['value']);
  });

  it('may be an input too, and is asked for by its exact name', async () => {
    await bench.register('binary');
    await bench.write('bills.parquet');
    const batch = await scored(files('bills.parquet'), ['city', 'amount']);
    expect(Object.keys((await bench.rows(batch))[0] ?? {})).toEqual([
      'city',
      'amount',
      'probability',
      'decision',
    ]);
    expect((await scored(files('bills.parquet'), ['City'])).error?.message).toContain(
      "there is no column 'City'",
    );
  });

  it('cannot be called as an answer is, nor twice', async () => {
    await bench.register('binary');
    for (const keys of [['Probability'], ['id', 'ID']])
      await expect(bench.start({ input: files('bills.parquet'), keys })).rejects.toThrow(InvalidRequestError);
  });
});

describe('an output', () => {
  it('says which batch, version and artifact made it, and is one file of many', async () => {
    await bench.register('binary');
    for (const part of ['a/2', 'a/10', 'b/1'])
      await bench.write(`${part}.parquet`, `SELECT * REPLACE ('${part}' || id AS id) FROM (${ROWS})`);
    const batch = await scored(files('**/*.parquet'));
    expect(batch).toMatchObject({ state: 'completed', rows: 3_000, done: 3_000 });
    const ids = (await bench.rows(batch, 'SELECT id FROM file')).map(({ id }) => String(id));
    const each = (part: string) => Array.from({ length: 1_000 }, (_, i) => `${part}${i}`);
    expect(ids).toEqual([...each('a/10'), ...each('a/2'), ...each('b/1')]);
    const file = await bench.artifacts.fetchFile(batch.output?.digest ?? '');
    const said = await runSql(
      `SELECT CAST(key AS VARCHAR) AS key, CAST(value AS VARCHAR) AS value FROM parquet_kv_metadata('${file}') ORDER BY key`,
    );
    const { artifact } = await getModelVersion(bench.database.orm, MODEL, 1);
    expect(Object.fromEntries(said.map(({ key, value }) => [key, value]))).toEqual({
      'perennial.artifact': artifact,
      'perennial.batch': batch.id,
      'perennial.model': MODEL,
      'perennial.version': '1',
    });
  });

  it('is all that a batch leaves behind', async () => {
    await bench.register('binary');
    const before = await bench.stored();
    await bench.write('one.csv');
    await bench.write('two.csv');
    const batch = await scored(files('*.csv', 'csv'));
    expect(await bench.stored()).toEqual([...before, batch.output?.digest].sort());
    expect(await bench.leftovers()).toEqual([]);
    expect(await bench.waiting()).toEqual([]);
  });

  it.each(['parquet', 'csv'] as const)('of no rows has its columns all the same (%s)', async (format) => {
    await bench.register('binary');
    await bench.write(`none.${format}`, `${ROWS} WHERE i < 0`);
    const batch = await scored(files(`none.${format}`, format));
    expect(batch).toMatchObject({ state: 'completed', rows: 0, output: { rows: 0 } });
    const file = await bench.artifacts.fetchFile(batch.output?.digest ?? '');
    const columns = await runSql(`SELECT column_name AS name FROM (DESCRIBE FROM read_parquet('${file}'))`);
    expect(columns.map(({ name }) => name)).toEqual(['id', 'probability', 'decision']);
  });
});

describe('an input that cannot be scored', () => {
  beforeEach(() => bench.register('binary'));

  async function failed(input: BatchInput): Promise<string> {
    const before = await bench.stored();
    const batch = await scored(input);
    expect(batch).toMatchObject({ state: 'failed', output: null });
    expect(batch.error?.code).toBe('data-invalid');
    expect(await bench.stored()).toEqual(before);
    expect(batch.error?.message).not.toContain(bench.root);
    return batch.error?.message ?? '';
  }

  it('is told when there is no such file', async () => {
    expect(await failed(files('nowhere.parquet'))).toContain("'nowhere.parquet': there is no such file");
    expect(await failed(files('no*/where.csv', 'csv'))).toContain('there is no such file');
  });

  it('is told when it is empty, torn or of another kind', async () => {
    await writeFile(join(bench.folder, 'empty.parquet'), '');
    expect(await failed(files('empty.parquet'))).toContain('it is empty');
    await bench.write('torn.parquet');
    await truncate(join(bench.folder, 'torn.parquet'), 2_000);
    expect(await failed(files('torn.parquet'))).toContain("'torn.parquet'");
    await writeFile(join(bench.folder, 'text.parquet'), 'this is no Parquet file');
    expect(await failed(files('text.parquet'))).toContain("'text.parquet'");
  });

  it('is told when its middle is damaged', async () => {
    await bench.write('bad.parquet');
    const bytes = await readFile(join(bench.folder, 'bad.parquet'));
    bytes.fill(0xff, 40, Math.floor(bytes.length / 2));
    await writeFile(join(bench.folder, 'bad.parquet'), bytes);
    expect(await failed(files('bad.parquet'))).toContain("'bad.parquet'");
  });

  it.each(['parquet', 'csv', 'ndjson'] as const)('is told with the column that %s lacks', async (format) => {
    await bench.write(`bills.${format}`, `SELECT id, amount, smoker, "at" FROM (${ROWS})`);
    expect(await failed(files(`bills.${format}`, format))).toContain("there is no column 'city'; there are");
  });

  it('is told with the column of the wrong type', async () => {
    await bench.write('bills.parquet', `SELECT * REPLACE (city AS amount) FROM (${ROWS})`);
    expect(await failed(files('bills.parquet'))).toContain(
      "the column 'amount' is of the type text (VARCHAR), but the model takes number",
    );
  });

  it.each(['csv', 'ndjson'] as const)(
    'is told with the line of a value that is none (%s)',
    async (format) => {
      await bench.write(
        `bills.${format}`,
        `SELECT * REPLACE (CASE WHEN id = 700 THEN 'plenty' ELSE CAST(amount AS VARCHAR) END AS amount) FROM (${ROWS})`,
      );
      const message = await failed(files(`bills.${format}`, format));
      expect(message).toMatch(/plenty/);
      expect(message).toMatch(format === 'csv' ? /Line: 702/ : /line 701|701/);
    },
  );

  it('is told with a text that is no time', async () => {
    await bench.write(
      'bills.parquet',
      `SELECT * REPLACE (CASE WHEN id = 700 THEN 'noon' ELSE '2024-03-01T05:00:00Z' END AS "at") FROM (${ROWS})`,
    );
    expect(await failed(files('bills.parquet'))).toMatch(/noon/);
  });

  it('is told when files do not agree on what is passed through', async () => {
    await bench.write('a.parquet');
    await bench.write('b.parquet', `SELECT * REPLACE ('n' || id AS id) FROM (${ROWS})`);
    expect(await failed(files('*.parquet'))).toContain(
      "the column 'id' is VARCHAR, but BIGINT in 'a.parquet'",
    );
  });
});

describe('the folder that batches may read', () => {
  beforeEach(() => bench.register('binary'));

  it.each([
    '/etc/passwd',
    '../x.parquet',
    'a/../../x',
    './x',
    'a/./b',
    's3://b/k',
    'file:///etc/passwd',
    'C:\\x',
    'a\\b',
    'a\0b',
  ])('is not left by %j', async (path) => {
    await expect(bench.start({ input: files(path) })).rejects.toThrow(InvalidRequestError);
  });

  it('is not left by a pattern, nor by a link', async () => {
    await mkdir(join(bench.root, 'outside'));
    await writeFile(join(bench.root, 'outside', 'secret.parquet'), 'secret');
    await symlink(join(bench.root, 'outside', 'secret.parquet'), join(bench.folder, 'link.parquet'));
    await symlink(join(bench.root, 'outside'), join(bench.folder, 'linked'));
    for (const path of [
      'link.parquet',
      'linked/secret.parquet',
      '{..,x}/outside/*.parquet',
      '*link*',
      'linked/*',
    ]) {
      const batch = await scored(files(path));
      expect(batch.state).toBe('failed');
      expect(batch.error?.message).toMatch(/it is not below the folder|there is no such file/);
    }
  });

  it('may be linked within itself', async () => {
    await bench.write('deep/bills.parquet');
    await symlink(join(bench.folder, 'deep', 'bills.parquet'), join(bench.folder, 'newest.parquet'));
    expect((await scored(files('newest.parquet'))).state).toBe('completed');
  });

  it('may hold names that a pattern would read otherwise', async () => {
    await bench.write('odd [1] (a).parquet');
    expect((await scored(files('odd [1] (a).parquet'))).rows).toBe(1_000);
  });
});

describe('a request', () => {
  it('is for the champion where it names no version, and refused where there is none', async () => {
    await bench.register('binary');
    await expect(bench.start({ input: files('x.parquet'), version: undefined })).rejects.toThrow(
      NoChampionError,
    );
  });

  it('is refused for a version that is not there, or whose artifact is gone', async () => {
    await bench.register('binary');
    await expect(bench.start({ input: files('x.parquet'), version: 2 })).rejects.toThrow(NotFoundError);
    const { artifact } = await getModelVersion(bench.database.orm, MODEL, 1);
    await bench.artifacts.delete(artifact);
    await expect(bench.start({ input: files('x.parquet') })).rejects.toThrow(RemovedError);
  });

  it('is refused for a bucket where there is none, and for a dataset that is not there', async () => {
    await bench.register('binary');
    const input = { kind: 'objectStore' as const, format: 'csv' as const, prefix: 'x' };
    await expect(bench.start({ input })).rejects.toThrow('not valid');
    const dataset = { kind: 'dataset' as const, dataset: `sha256:${'0'.repeat(64)}`, split: 'test' as const };
    await expect(bench.start({ input: dataset })).rejects.toThrow(NotFoundError);
  });
});
