import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SplitUnreadableError } from './errors.ts';
import { seenRows } from './seen-rows.ts';
import { Workshop } from './testing/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await Workshop.open('seen [rows]-');
  const rows = (from: number, to: number) => `SELECT i * 7919 AS __row FROM range(${from}, ${to}) t(i)`;
  await shop.write('test.parquet', `${rows(0, 10)} UNION ALL ${rows(5, 8)}`);
  await shop.write('older.parquet', rows(100, 5_000));
  await shop.write('first.parquet', `${rows(2, 4)} UNION ALL ${rows(2, 4)}`);
  await shop.write('second.parquet', rows(6, 200));
  await shop.write('all.parquet', rows(0, 10));
  await shop.write('plain.parquet', 'SELECT 1 AS x');
  await shop.write('large-test.parquet', `SELECT hash(i) >> 1 AS __row FROM range(500000) t(i)`);
  await shop.write('large-train.parquet', `SELECT hash(i) >> 1 AS __row FROM range(400000, 3000000) t(i)`);
});
afterAll(() => shop.close());

function seen(testFile: string, ...trainedOn: string[]): Promise<Uint8Array> {
  const path = (name: string) => join(shop.folder, name);
  return seenRows({ pipeline: 'trips', testFile: path(testFile), trainedOn: trainedOn.map(path) });
}

describe('seenRows', () => {
  it('marks no row where nothing was trained on, or other rows', async () => {
    expect([...(await seen('test.parquet'))]).toEqual(new Array(13).fill(0));
    expect([...(await seen('test.parquet', 'older.parquet'))]).toEqual(new Array(13).fill(0));
  });

  it('marks the rows of any of several files, in the order of the test split, repeated ones each time', async () => {
    const mask = await seen('test.parquet', 'first.parquet', 'second.parquet', 'older.parquet');
    expect([...mask]).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1]);
  });

  it('marks all of them where all were trained on', async () => {
    expect([...(await seen('test.parquet', 'all.parquet'))]).toEqual(new Array(13).fill(1));
    expect([...(await seen('test.parquet', 'test.parquet'))]).toEqual(new Array(13).fill(1));
  });

  it('tells half a million test rows from millions of training rows', async () => {
    const mask = await seen('large-test.parquet', 'large-train.parquet');
    expect(mask).toHaveLength(500_000);
    expect(mask.indexOf(1)).toBe(400_000);
    expect(mask.reduce((sum, row) => sum + row, 0)).toBe(100_000);
  });

  it('refuses a file that has no hashes, saying so', async () => {
    await expect(seen('plain.parquet', 'all.parquet')).rejects.toThrow(SplitUnreadableError);
    await expect(seen('test.parquet', 'plain.parquet')).rejects.toThrow('__row');
  });
});
