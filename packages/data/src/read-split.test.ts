import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MISSING_TIMESTAMP } from '@perennial/contract';
import { Encoder } from '@perennial/onnx';
import { boolean, categorical, multiclass, notWorse, numeric, timestamp } from '@perennial/pipeline';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuiltDataset } from './build-dataset.ts';
import { SplitUnreadableError } from './errors.ts';
import { readSplit, type ReadSplitOptions, type SplitBatch } from './read-split.ts';
import { TRIPS, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
let built: BuiltDataset;
let file: string;

beforeAll(async () => {
  shop = await Workshop.open();
  // Row 1 has no value anywhere but in its time and label.
  const hole = (column: string) => `CASE WHEN id = 1 THEN NULL ELSE ${column} END`;
  await shop.write(
    'trips.parquet',
    `SELECT "at", delay, ${hole('id')} AS id, ${hole('distance')} AS distance, ${hole('origin')} AS origin,
       ${hole('id % 2 = 0')} AS even, ${hole('"at" - INTERVAL 50 YEAR')} AS built, ${hole('id % 3')} AS third FROM (${TRIPS})`,
  );
  const features = {
    distance: numeric(),
    origin: categorical(),
    even: boolean(),
    built: timestamp(),
  };
  const validate = {
    gate: notWorse({ metric: 'accuracy', margin: 0.5 }),
    slices: ['third', 'even', 'origin'],
  };
  const label = multiclass('half', { from: `CASE WHEN delay > 14 THEN 'late' ELSE 'early' END` });
  built = await shop.build(tripsSpec({ features, validate, label }, { key: 'id' }));
  file = await shop.artifacts.fetchFile(built.manifest.splits.train.digest);
});
afterAll(() => shop.close());

async function read(options: Partial<ReadSplitOptions> = {}): Promise<SplitBatch[]> {
  const batches: SplitBatch[] = [];
  for await (const batch of readSplit({ file, manifest: built.manifest, ...options })) batches.push(batch);
  return batches;
}

describe('readSplit', () => {
  it('gives columns in the forms that an artifact takes, missing values in its own terms', async () => {
    const [batch, ...others] = await read();
    expect(others).toEqual([]);
    if (batch === undefined) throw new Error('no batch');
    const { columns, rows } = batch.batch;
    expect(rows).toBe(168);
    expect(Object.keys(columns)).toEqual(['built', 'distance', 'even', 'origin']);
    expect(columns['distance']?.slice(0, 3)).toEqual(Float64Array.of(100, NaN, 300));
    expect(columns['even']?.slice(0, 4)).toEqual(Float64Array.of(1, NaN, 1, 0));
    expect(columns['origin']?.slice(0, 3)).toEqual(['ATL', '', 'LAX']);
    const before = BigInt(Date.UTC(1974, 0, 1));
    expect(columns['built']?.slice(0, 2)).toEqual(BigInt64Array.of(before, MISSING_TIMESTAMP));
    expect(batch.labels.slice(14, 16)).toEqual(['early', 'late']);
    expect(batch.slices['third']?.slice(0, 4)).toEqual(['0', '', '2', '0']);
    expect(batch.slices['even']?.slice(0, 3)).toEqual(['true', '', 'true']);
    expect(batch.slices['origin']).toBe(columns['origin']);
    expect(batch.times.slice(0, 2)).toEqual(BigInt64Array.of(1704067200000n, 1704070800000n));
    expect(batch.keys?.slice(0, 3)).toEqual(['0', '', '2']);
  });

  it('gives the same rows in batches of any size', async () => {
    const [whole] = await read();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (batchRows) => {
        const batches = await read({ batchRows });
        const sizes = batches.map(({ batch }) => batch.rows);
        expect(sizes.slice(0, -1).every((size) => size === batchRows)).toBe(true);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(168);
        expect(batches.flatMap(({ keys }) => keys)).toEqual(whole?.keys);
        expect(batches.flatMap(({ labels }) => [...labels])).toEqual(whole?.labels);
        expect(batches.flatMap(({ batch }) => [...(batch.columns['distance'] ?? [])])).toEqual([
          ...(whole?.batch.columns['distance'] ?? []),
        ]);
      }),
      { numRuns: 10 },
    );
  });

  it('gives batches that later ones do not overwrite', async () => {
    const batches = await read({ batchRows: 50 });
    const firsts = batches.map(({ times }) => times[0]);
    expect(new Set(firsts).size).toBe(4);
    expect(new Set(batches.map(({ times }) => times.buffer)).size).toBe(4);
  });

  it('reads only the columns that are wanted, and slices all the same', async () => {
    const [batch] = await read({ columns: ['distance'] });
    expect(Object.keys(batch?.batch.columns ?? {})).toEqual(['distance']);
    expect(batch?.slices['origin']?.slice(0, 3)).toEqual(['ATL', '', 'LAX']);
  });

  it('feeds the encoder that the manifest describes', async () => {
    const encoder = await Encoder.create(built.manifest.encoder);
    try {
      const [batch] = await read();
      const { dense, indices } = await encoder.encode(batch?.batch ?? { rows: 0, columns: {} });
      expect(dense?.length).toBeGreaterThan(0);
      expect(dense?.every(Number.isFinite)).toBe(true);
      // LAX is the most frequent origin, then ATL; 0 is missing.
      expect(indices['origin']?.slice(0, 3)).toEqual(BigInt64Array.of(3n, 0n, 2n));
    } finally {
      await encoder.release();
    }
  });

  it('lets its file go when the loop is left early', async () => {
    for await (const { batch } of readSplit({ file, manifest: built.manifest, batchRows: 10 })) {
      expect(batch.rows).toBe(10);
      break;
    }
    expect(await read()).toHaveLength(1);
  });

  it('refuses a column that is no input, a file that is no split, and one of another dataset', async () => {
    await expect(read({ columns: ['delay'] })).rejects.toThrow(
      `there is no input column 'delay'; there are built, distance, even, origin`,
    );
    const text = join(shop.folder, 'text.parquet');
    await writeFile(text, 'this is no Parquet file');
    await expect(read({ file: text })).rejects.toThrow(SplitUnreadableError);
    await expect(read({ file: join(shop.folder, 'trips.parquet') })).rejects.toThrow('__label');
  });
});
