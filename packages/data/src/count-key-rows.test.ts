import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countKeyRows } from './count-key-rows.ts';
import { SplitUnreadableError } from './errors.ts';
import { Workshop } from './testing/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await Workshop.open('count [keys]-');
  await shop.write(
    'split.parquet',
    `SELECT CASE WHEN i % 3 = 0 THEN 'it''s %' ELSE 'k' || i END AS __key FROM range(30) t(i)`,
  );
  await shop.write('plain.parquet', 'SELECT 1 AS x');
  await shop.write('quarantine.parquet', 'SELECT i // 2 AS "Customer ""Id" FROM range(10) t(i)');
});
afterAll(() => shop.close());

function count(file: string, column: string, key: string): Promise<number> {
  return countKeyRows({ pipeline: 'trips', file: join(shop.folder, file), column, key });
}

describe('counting the rows of a key', () => {
  it('counts those of that very text', async () => {
    expect(await count('split.parquet', '__key', "it's %")).toBe(10);
    expect(await count('split.parquet', '__key', 'k1')).toBe(1);
    expect(await count('split.parquet', '__key', "k1' OR ''='")).toBe(0);
  });

  it('compares a number by its text, under a name that must be quoted', async () => {
    expect(await count('quarantine.parquet', 'customer "id', '3')).toBe(2);
  });

  it('finds none where there is no such column', async () => {
    expect(await count('plain.parquet', '__key', '1')).toBe(0);
  });

  it('refuses what is no Parquet file', async () => {
    await expect(count('missing.parquet', '__key', '1')).rejects.toBeInstanceOf(SplitUnreadableError);
  });
});
