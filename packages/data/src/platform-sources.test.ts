import {
  categorical,
  notWorse,
  numeric,
  predictionLog,
  regression,
  stream,
  type PipelineInput,
} from '@perennial/pipeline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FeatureValue, Signature, StreamEvent } from '@perennial/contract';
import { FileDigests } from './file-digests.ts';
import { sourceFingerprint } from './source-fingerprint.ts';
import { PlatformData } from './testing/platform-data.ts';
import { AS_OF, TRIPS, Workshop, runSql, tripsSpec } from './testing/workshop.ts';

let data: PlatformData;
let shop: Workshop;
beforeAll(async () => {
  data = await PlatformData.open();
});
afterAll(() => data.close());
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

/** The rows of {@link TRIPS} as JSON has them. */
async function trips(): Promise<StreamEvent[]> {
  const rows = await runSql(
    `SELECT * REPLACE (strftime("at", '%Y-%m-%dT%H:%M:%SZ') AS "at", CAST(id AS INTEGER) AS id, CAST(distance AS DOUBLE) AS distance) FROM (${TRIPS})`,
  );
  return rows as StreamEvent[];
}

const sources = () => ({ database: data.database });
const problemOf = async (build: Promise<unknown>) =>
  build.then(
    () => 'none',
    (error: unknown) => (error as { problem?: string }).problem ?? String(error),
  );

describe('a stream', () => {
  const features = { distance: numeric(), origin: categorical() };
  const spec = (name: string, parts: Partial<PipelineInput> = {}) =>
    tripsSpec({ features, ...parts }, { source: stream(name), key: 'id' });
  const build = (name: string) => shop.build(spec(name), { sources: sources() });

  it('gives the dataset that a file of the same rows gives', async () => {
    await shop.write('trips.parquet', TRIPS);
    const fromFile = await shop.build(tripsSpec({ features }, { key: 'id' }));
    await data.post('trips', await trips());
    await data.post('trips', [
      { at: '2019-01-01T00:00:00Z', id: -1, delay: 1, distance: 1, origin: 'ATL' },
      { at: '2024-01-11T00:00:00+00:00', id: -2, delay: 1, distance: 1, origin: 'ATL' },
    ]);
    expect((await build('trips')).digest).toBe(fromFile.digest);
  });

  it('compares times by the instant that they are, whatever their offset', async () => {
    const events = await trips();
    const shifted = events.map((event) => ({
      ...event,
      at: new Date(Date.parse(String(event['at'])) + 14 * 3_600_000).toISOString().replace('Z', '+14:00'),
    }));
    await data.post('here', events);
    await data.post('elsewhere', shifted);
    expect((await build('elsewhere')).digest).toBe((await build('here')).digest);
  });

  it('begins a column with its first value, and keeps events without a time in quarantine', async () => {
    const events = await trips();
    await data.post('late-column', [
      ...events.slice(0, 100).map((event) => ({ ...event, weight: null })),
      ...events.slice(100).map((event, i) => ({ ...event, weight: i + 0.5, never: null })),
      { id: 1, at: null },
      { id: 2, at: 'soon' },
    ]);
    const input = spec('late-column', { features: { ...features, weight: numeric() } });
    const { card } = await shop.build(input, { sources: sources() });
    expect(card.columns.find(({ name }) => name === 'weight')).toMatchObject({ missing: 100, min: 0.5 });
    expect(card.quarantine.reasons).toContainEqual({ reason: 'at is a time', rows: 2 });
  });

  it('is refused when it has no event in the window', async () => {
    await data.post('old', [{ at: '2019-01-01T00:00:00Z', id: 1 }]);
    for (const name of ['old', 'unheard-of'])
      expect(await problemOf(build(name))).toBe(
        `the stream '${name}' has no events from 2024-01-01T00:00:00.000Z to 2024-01-11T00:00:00.000Z`,
      );
  });

  it('is refused when a column’s values do not go together, naming event and column', async () => {
    const [first = {}, second = {}] = await trips();
    await data.post('mixed', [first, { ...second, distance: 'far' }]);
    expect(await problemOf(build('mixed'))).toBe(
      `in event 2 the column 'distance' is text, but was a number before`,
    );
    await data.post('twins', [first, { ...second, Distance: 3 }]);
    expect(await problemOf(build('twins'))).toBe(
      `in event 2 the column 'Distance' differs from 'distance' in nothing but case`,
    );
    await data.post('nameless', [{ ...first, 'a\nb': 3 }]);
    expect(await problemOf(build('nameless'))).toContain('in event 1 the name of a column must be 1 to 128');
  });

  it('is known by how far it has grown', async () => {
    const fingerprint = () =>
      sourceFingerprint({
        spec: spec('growing'),
        folder: shop.folder,
        sources: sources(),
        digests: new FileDigests(),
      });
    await data.post('growing', [{ at: '2024-01-01T00:00:00Z' }]);
    const before = await fingerprint();
    expect(before).toMatch(/^sha256:/);
    await data.post('trips', [{ at: '2024-01-01T00:00:00Z' }]);
    expect(await fingerprint()).toBe(before);
    await data.post('growing', [{ at: '2024-01-01T00:00:00Z' }]);
    expect(await fingerprint()).not.toBe(before);
  });
});

describe('the prediction log', () => {
  const signature: Signature = {
    inputs: [
      { name: 'distance', type: 'number' },
      { name: 'origin', type: 'text' },
      { name: 'rainy', type: 'boolean' },
      { name: 'time', type: 'timestamp' },
    ],
    output: { kind: 'regression' },
  };
  const spec = (model: string) =>
    tripsSpec(
      {
        label: regression('delay', { from: 'label' }),
        features: {
          distance: numeric(),
          origin: categorical(),
          departs: { ...numeric(), column: 'version' },
        },
        validate: { gate: notWorse({ metric: 'rmse', margin: 1 }) },
      },
      { source: predictionLog(model), time: 'prediction_time', key: 'key' },
    );
  const hour = (i: number) => new Date(Date.UTC(2024, 0, 1, i));
  const features = (i: number): Record<string, FeatureValue> => ({
    distance: 100 + (i % 6) * 100,
    origin: i % 3 === 0 ? 'ATL' : 'ORD',
    rainy: i % 2 === 0,
    time: i % 2 === 0 ? hour(i).toISOString() : hour(i).getTime(),
  });

  it('is the predictions whose truth is known, by id or by key, the newest truth counting', async () => {
    await data.addModel('delays', signature);
    for (let i = 0; i < 240; i += 1) {
      const asked = { model: 'delays', features: features(i), at: hour(i) };
      if (i % 2 === 0) {
        await data.addPrediction({ ...asked, key: `trip-${i}` });
        await data.addTruth({ model: 'delays', key: `trip-${i}` }, i % 30);
      } else {
        const prediction = await data.addPrediction(asked);
        await data.addTruth({ model: 'delays', prediction }, i === 1 ? 999 : i % 30);
        if (i === 1) await data.addTruth({ model: 'delays', prediction }, 1);
      }
    }
    await data.addPrediction({ model: 'delays', features: features(0), at: hour(3), key: 'untold' });
    await data.addPrediction({
      model: 'delays',
      features: features(0),
      at: new Date('2023-12-31T23:59:59Z'),
      key: 'trip-0',
    });
    await data.addPrediction({
      model: 'delays',
      features: features(0),
      at: new Date('2024-01-11T00:00:00Z'),
      key: 'trip-0',
    });
    await data.addPrediction({ model: 'other', features: features(0), at: hour(3), key: 'trip-0' });

    const built = await shop.build(spec('delays'), { sources: sources() });
    const { train, validation, test } = built.manifest.splits;
    expect([train.rows, validation.rows, test.rows]).toEqual([168, 48, 24]);
    const rows = await shop.rows(
      train.digest,
      `SELECT distance, origin, version, __label AS label, epoch_ms(__time) AS t, __key AS key FROM file ORDER BY __time`,
    );
    for (const [i, row] of rows.entries()) {
      expect(row).toMatchObject({
        distance: 100 + (i % 6) * 100,
        origin: i % 3 === 0 ? 'ATL' : 'ORD',
        version: 1,
        label: i % 30,
        key: i % 2 === 0 ? `trip-${i}` : null,
      });
    }
    expect((await shop.build(spec('delays'), { sources: sources() })).digest).toBe(built.digest);
  });

  it('of a model that is not known is refused', async () => {
    const error = await shop
      .build(spec('unheard-of'), { sources: sources() })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'source-invalid',
      field: 'data.source.model',
      problem: `there is no version of a model 'unheard-of' yet`,
    });
  });

  it('and streams can only be read on a platform', async () => {
    expect(await problemOf(shop.build(spec('delays')))).toBe('it can only be read on a platform');
    expect(await problemOf(shop.build(tripsSpec({}, { source: stream('trips') })))).toBe(
      'it can only be read on a platform',
    );
  });

  it('is never known before it is read', async () => {
    const options = { folder: shop.folder, sources: sources(), digests: new FileDigests() };
    expect(await sourceFingerprint({ ...options, spec: spec('delays') })).toBeNull();
    expect(AS_OF.getTime()).toBeGreaterThan(hour(239).getTime());
  });
});
