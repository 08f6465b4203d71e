import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  binary,
  categorical,
  crossed,
  definePipeline,
  mlp,
  notWorse,
  numeric,
  parquet,
  timestamp,
} from '@perennial/pipeline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from './read-split.ts';
import { Workshop } from './testing/workshop.ts';

/** Three million flights of 2001, from the npm package of example data that the example pipelines depend on. */
const require = createRequire(join(import.meta.dirname, '../../../pipelines/package.json'));
const folder = join(dirname(require.resolve('vega-datasets')), '..', 'data');

let shop: Workshop;
beforeAll(async () => {
  shop = await Workshop.open();
});
afterAll(() => shop.close());

const { spec } = definePipeline({
  name: 'flight-delay',
  data: {
    source: parquet('flights-3m.parquet'),
    time: 'date',
    window: { train: '28d', validation: '2d', test: '1d' },
  },
  label: binary('late', { from: 'delay > 15' }),
  features: {
    distance: numeric(),
    origin: categorical({ minCount: 50 }),
    route: crossed(['origin', 'destination'], { buckets: 4096 }),
    date: timestamp(),
  },
  train: mlp(),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.005 }), slices: ['origin'] },
});

describe('three million flights', () => {
  it('make the dataset of a day, with all its rows, and read back whole', async () => {
    const asOf = new Date('2001-04-01T03:00:00Z');
    const { manifest, card } = await shop.build(spec, { folder, asOf });
    const { train, validation, test } = manifest.splits;
    expect([train.rows, validation.rows, test.rows]).toEqual([462_569, 34_020, 14_913]);
    expect(card.labels.train.classes).toEqual({ false: 365_459, true: 97_110 });
    expect(card.quarantine.rows).toBe(0);
    const file = await shop.artifacts.fetchFile(train.digest);
    let rows = 0;
    let late = 0;
    for await (const { batch, labels } of readSplit({ file, manifest })) {
      rows += batch.rows;
      for (const label of labels) late += Number(label);
    }
    expect([rows, late]).toEqual([462_569, 97_110]);
  });
});
