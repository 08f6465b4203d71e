import { mkdir } from 'node:fs/promises';
import { boolean, categorical, numeric, timestamp } from '@perennial/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuiltDataset } from './build-dataset.ts';
import { SplitUnreadableError } from './errors.ts';
import { newestRows, type NewestRow } from './newest-rows.ts';
import { TRIPS, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
  await mkdir(shop.workFolder, { recursive: true });
});
afterEach(() => shop.close());

async function newest({ manifest }: BuiltDataset, batchRows = 7): Promise<NewestRow[]> {
  const { train, validation, test } = manifest.splits;
  const files = await Promise.all(
    [train, validation, test].map(({ digest }) => shop.artifacts.fetchFile(digest)),
  );
  const rows: NewestRow[] = [];
  for await (const batch of newestRows({ files, manifest, workFolder: shop.workFolder, batchRows })) {
    expect(batch.length).toBeLessThanOrEqual(batchRows);
    rows.push(...batch);
  }
  return rows.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

const FEATURES = {
  distance: numeric(),
  origin: categorical({ minCount: 1 }),
  night: boolean(),
  left: timestamp({ parts: ['hourOfDay'] }),
};

/** A driver each hour of ten; each of them drives in all three splits. */
const DRIVEN = `SELECT *, 'd' || lpad(CAST(id % 10 AS VARCHAR), 2, '0') AS driver, id % 2 = 0 AS night, "at" AS "left" FROM (${TRIPS})`;

async function build(rows: string): Promise<BuiltDataset> {
  await shop.write('trips.parquet', rows);
  return shop.build(tripsSpec({ features: FEATURES }, { key: 'driver' }));
}

describe('the newest row of each entity', () => {
  it('is the last of its rows of any split, with the columns that the model reads', async () => {
    const rows = await newest(await build(DRIVEN));
    expect(rows.map(({ key }) => key)).toEqual(Array.from({ length: 10 }, (_, i) => `d0${i}`));
    for (const [driver, { features, at }] of rows.entries()) {
      const id = 230 + driver;
      const happened = Date.parse('2024-01-01T00:00:00Z') + id * 3_600_000;
      expect(at.getTime()).toBe(happened);
      expect(JSON.parse(features)).toEqual({
        distance: 100 + (id % 6) * 100,
        origin: ['ATL', 'ORD', 'LAX', 'LAX'][id % 4],
        night: id % 2 === 0,
        left: happened,
      });
    }
  });

  it('has null for what is missing, and quotes what needs it', async () => {
    const odd = `SELECT * REPLACE (CASE WHEN id = 239 THEN NULL ELSE distance END AS distance,
      CASE WHEN id = 239 THEN '' WHEN id = 238 THEN 'a "b" \\ ü' ELSE origin END AS origin) FROM (${DRIVEN})`;
    const rows = (await newest(await build(odd)))
      .slice(-2)
      .map(({ features }) => JSON.parse(features) as object);
    expect(rows).toMatchObject([{ origin: 'a "b" \\ ü' }, { origin: null, distance: null }]);
  });

  it('is not there for who has no key, one that is too long, or a text that no database keeps', async () => {
    const odd = `SELECT * REPLACE (CASE WHEN id % 10 = 1 THEN NULL WHEN id % 10 = 2 THEN repeat('x', 257)
      WHEN id % 10 = 3 THEN 'a' || chr(0) ELSE driver END AS driver,
      CASE WHEN id % 10 = 4 THEN 'A' || chr(0) ELSE origin END AS origin) FROM (${DRIVEN})`;
    const keys = (await newest(await build(odd))).map(({ key }) => key);
    expect(keys).toEqual(['d00', 'd05', 'd06', 'd07', 'd08', 'd09']);
  });

  it('is not to be had from a dataset without keys', async () => {
    await shop.write('trips.parquet', DRIVEN);
    const built = await shop.build(tripsSpec({ features: FEATURES }));
    await expect(newest(built)).rejects.toThrow(SplitUnreadableError);
  });
});
