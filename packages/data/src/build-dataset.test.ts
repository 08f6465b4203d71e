import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dataCardSchema, datasetManifestSchema } from '@perennial/contract';
import { categorical, crossed, numeric, timestamp } from '@perennial/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TRIPS, TRIPS_INPUT, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

const full = tripsSpec(
  {
    features: {
      distance: numeric(),
      origin: categorical(),
      pair: crossed(['origin', 'delay'], { buckets: 64 }),
      at: timestamp(),
    },
    validate: { ...TRIPS_INPUT.validate, slices: ['origin', 'id'] },
  },
  { key: 'id' },
);

describe('buildDataset', () => {
  it('splits the window by time, the newest rows for the test, and stores all of it', async () => {
    await shop.write('trips.parquet', TRIPS);
    const { digest, manifest, card } = await shop.build(full);
    expect(datasetManifestSchema.parse(manifest)).toEqual(manifest);
    expect(dataCardSchema.parse(card)).toEqual(card);
    const { train, validation, test } = manifest.splits;
    expect([train.rows, validation.rows, test.rows]).toEqual([168, 48, 24]);
    expect(train).toMatchObject({ from: '2024-01-01T00:00:00.000Z', to: '2024-01-08T00:00:00.000Z' });
    expect(test).toMatchObject({ from: '2024-01-10T00:00:00.000Z', to: '2024-01-11T00:00:00.000Z' });
    const range = await shop.rows(
      validation.digest,
      'SELECT count(*) AS n, min("at") AS a, max("at") AS b FROM file',
    );
    expect(range).toEqual([{ n: '48', a: '2024-01-08 00:00:00', b: '2024-01-09 23:00:00' }]);
    const stored = await shop.artifacts.get(digest);
    expect(JSON.parse(Buffer.from(stored).toString())).toEqual(manifest);
    expect(`sha256:${createHash('sha256').update(stored).digest('hex')}`).toBe(digest);
  });

  it('writes the columns that the manifest promises, in order', async () => {
    await shop.write('trips.parquet', TRIPS);
    const { manifest } = await shop.build(full);
    expect(manifest.encoder.columns).toEqual([
      { name: 'at', type: 'timestamp' },
      { name: 'distance', type: 'number' },
      { name: 'origin', type: 'text' },
      { name: 'delay', type: 'number' },
    ]);
    const described = await shop.rows(manifest.splits.test.digest, 'DESCRIBE FROM file');
    expect(described.map((column) => [column['column_name'], column['column_type']])).toEqual([
      ['at', 'TIMESTAMP'],
      ['distance', 'DOUBLE'],
      ['origin', 'VARCHAR'],
      ['delay', 'DOUBLE'],
      ['id', 'VARCHAR'],
      ['__label', 'DOUBLE'],
      ['__time', 'BIGINT'],
      ['__key', 'VARCHAR'],
      ['__row', 'BIGINT'],
    ]);
  });

  it('gives the same rows the same digest: other threads, folder, order, files, day’s hour and author’s order', async () => {
    await shop.write('trips.parquet', TRIPS);
    const first = await shop.build(full);
    const other = await Workshop.open('another [place]-');
    try {
      await other.write(
        'year=2024/half=1/a.parquet',
        `SELECT * FROM (${TRIPS}) WHERE id % 2 = 1 ORDER BY hash(id)`,
      );
      await other.write(
        'year=2024/half=2/b.parquet',
        `SELECT * FROM (${TRIPS}) WHERE id % 2 = 0 ORDER BY id DESC`,
      );
      const spec = {
        ...full,
        features: Object.fromEntries(Object.entries(full.features).reverse()),
        data: { ...full.data, source: { kind: 'parquet' as const, paths: ['year=*/**/*.parquet'] } },
      };
      for (const threads of [1, 3, 8]) {
        const again = await other.build(spec, { threads, asOf: new Date('2024-01-11T22:00:00Z') });
        expect(again.manifest).toEqual(first.manifest);
        expect(again.digest).toBe(first.digest);
      }
    } finally {
      await other.close();
    }
  });

  it('gives changed rows or another definition another digest', async () => {
    await shop.write('trips.parquet', TRIPS);
    const first = await shop.build(full);
    await shop.write(
      'trips.parquet',
      `SELECT * REPLACE (CASE WHEN id = 7 THEN 101 ELSE distance END AS distance) FROM (${TRIPS})`,
    );
    expect((await shop.build(full)).digest).not.toBe(first.digest);
    await shop.write('trips.parquet', TRIPS);
    expect((await shop.build(full)).digest).toBe(first.digest);
    expect(
      (
        await shop.build({
          ...full,
          validate: { ...full.validate, slices: { ...full.validate.slices, columns: ['origin'] } },
        })
      ).digest,
    ).not.toBe(first.digest);
  });

  it('never reads rows of asOf’s day or later', async () => {
    await shop.write('trips.parquet', TRIPS);
    const { digest } = await shop.build(full);
    await shop.write(
      'trips.parquet',
      `${TRIPS} UNION ALL SELECT TIMESTAMP '2024-01-11' + i * INTERVAL 1 HOUR, i, 3, -5, 'JFK' FROM range(48) t(i)`,
    );
    expect((await shop.build(full)).digest).toBe(digest);
  });

  it('describes source, columns and labels on the card', async () => {
    await shop.write('trips.parquet', TRIPS);
    const { card, digest } = await shop.build(full);
    expect(card).toMatchObject({ pipeline: 'trips', dataset: digest, quarantine: { rows: 0, reasons: [] } });
    expect(card.files).toMatchObject([{ name: 'trips.parquet' }]);
    expect(card.labels.train).toEqual({
      mean: 78 / 168,
      standardDeviation: null,
      classes: { false: 90, true: 78 },
    });
    const distance = card.columns.find(({ name }) => name === 'distance');
    expect(distance).toMatchObject({
      type: 'number',
      missing: 0,
      distinct: 6,
      min: 100,
      max: 600,
      mean: 350,
      top: null,
    });
    expect(distance?.quantiles).toHaveLength(21);
    expect([0, 5, 10, 15, 20].map((step) => distance?.quantiles?.[step])).toEqual([100, 200, 350, 500, 600]);
    expect(distance?.histogram?.rows.filter((rows) => rows > 0)).toEqual([28, 28, 28, 28, 28, 28]);
    const origin = card.columns.find(({ name }) => name === 'origin');
    expect(origin).toMatchObject({ type: 'text', distinct: 3, min: null, quantiles: null });
    expect(origin?.top).toEqual([
      { value: 'LAX', rows: 84 },
      { value: 'ATL', rows: 42 },
      { value: 'ORD', rows: 42 },
    ]);
    expect(card.columns.map(({ name }) => name)).toEqual(['at', 'distance', 'origin', 'delay', 'id']);
  });

  it('leaves nothing in its work folder, also when it fails', async () => {
    await shop.write('trips.parquet', TRIPS);
    await shop.build(full);
    expect(await readdir(shop.workFolder)).toEqual([]);
    await expect(shop.build(full, { asOf: new Date('2030-01-01') })).rejects.toThrow('no rows');
    expect(await readdir(shop.workFolder)).toEqual([]);
  });

  it('tells how far it is, and stops when it is told to', async () => {
    await shop.write('trips.parquet', TRIPS);
    const phases: string[] = [];
    await shop.build(full, { onProgress: ({ phase, done }) => phases.push(`${phase} ${done}`) });
    expect(phases).toEqual(['opening 0', 'reading 0.1', 'ordering 0.4', 'writing 0.6', 'done 1']);
    for (const stop of ['opening', 'reading', 'ordering', 'writing']) {
      const controller = new AbortController();
      const reason = new Error(`stopped at ${stop}`);
      const onProgress = ({ phase }: { phase: string }) => {
        if (phase === stop) controller.abort(reason);
      };
      await expect(shop.build(full, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    }
    expect(await readdir(shop.workFolder)).toEqual([]);
  });
});
