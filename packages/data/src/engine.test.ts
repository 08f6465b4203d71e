import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import { QueryFailedError } from './errors.ts';

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'engine-')));
  engine = await Engine.open({ threads: 1, memoryLimit: '100MB', folder, readable: [] });
});
afterEach(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

async function failure(sql: string): Promise<QueryFailedError> {
  const error = await engine.main.rows(sql).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(QueryFailedError);
  return error as QueryFailedError;
}

describe('Engine', () => {
  it.each([
    [`FROM read_text('/etc/hostname')`],
    [`FROM read_csv('/etc/passwd')`],
    [`FROM glob('/etc/*')`],
    [`COPY (SELECT 1) TO '/tmp/out-of-reach.parquet'`],
    [`ATTACH '/tmp/out-of-reach.db'`],
  ])('reaches no file outside its folders: %s', async (sql) => {
    expect((await failure(sql)).kind).toBe('Permission');
  });

  it('does not climb out of its folders, nor into a folder whose name only begins alike', async () => {
    expect((await failure(`FROM read_text('${folder}/../../etc/hostname')`)).kind).toBe('Permission');
    expect((await failure(`FROM read_text('${folder}-other/file')`)).kind).toBe('Permission');
    await writeFile(join(folder, 'file'), 'inside');
    expect(await engine.main.rows(`SELECT content FROM read_text('${folder}/file')`)).toEqual([
      { content: 'inside' },
    ]);
  });

  it('keeps its settings to itself', async () => {
    for (const sql of [
      `SET memory_limit = '1TB'`,
      'SET enable_external_access = true',
      `SET allowed_directories = ['/']`,
    ]) {
      expect((await failure(sql)).reason).toContain('locked');
    }
    expect((await failure('INSTALL httpfs')).kind).toMatch(/Permission|IO|Invalid/);
  });

  it('reads times without a zone as UTC', async () => {
    const sql = `SELECT epoch_ms(CAST('2024-07-01 00:00:00' AS TIMESTAMPTZ)) AS ms`;
    expect(await engine.main.rows(sql)).toEqual([{ ms: BigInt(Date.UTC(2024, 6, 1)) }]);
    const other = await engine.connect();
    expect(await other.rows(sql)).toEqual([{ ms: BigInt(Date.UTC(2024, 6, 1)) }]);
  });

  it('says what DuckDB said, without the query', async () => {
    const error = await failure('SELECT nothing FROM range(3)');
    expect(error.kind).toBe('Binder');
    expect(error.reason).toContain('Referenced column "nothing" not found');
    expect(error.reason).not.toContain('SELECT');
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('says so when memory does not suffice', async () => {
    const error = await failure(`SELECT list(i) FROM range(100000000) t(i)`);
    expect(error.kind).toBe('Out of Memory');
  });

  it('breaks off a query that is running', async () => {
    const running = failure('SELECT count(*) FROM range(100000000000) a(i) WHERE i % 7 = 8');
    engine.interrupt();
    expect((await running).kind).toBe('INTERRUPT');
  });
});
