import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { categorical, numeric, objectStore } from '@perennial/pipeline';
import { S3Objects } from '@perennial/storage';
import { createTestBucket, hasTestStore, type TestBucket } from '@perennial/storage/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileDigests } from './file-digests.ts';
import { sourceFingerprint } from './source-fingerprint.ts';
import { TRIPS, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

const features = { distance: numeric(), origin: categorical() };
const spec = (bucket: string, format: 'parquet' | 'csv' | 'json' = 'parquet') =>
  tripsSpec({ features }, { source: objectStore({ bucket, prefix: 'trips/', format }), key: 'id' });

it('an objectStore source is refused on a platform without a store', async () => {
  await expect(shop.build(spec('trips'))).rejects.toMatchObject({
    problem: 'the platform has no S3-compatible store',
  });
});

describe.skipIf(!hasTestStore)('an objectStore source in the store at S3_TEST_ENDPOINT', () => {
  let test: TestBucket;
  beforeEach(async () => {
    test = await createTestBucket();
  });
  afterEach(() => test.remove());

  const sources = () => ({ objects: new S3Objects(test.account) });
  const build = (format?: 'parquet' | 'csv' | 'json') =>
    shop.build(spec(test.bucket, format), { sources: sources() });
  async function put(key: string, sql: string): Promise<void> {
    const name = `local/${key.split('/').at(-1) ?? ''}`;
    await shop.write(name, sql);
    await test.put(key, await readFile(join(shop.folder, name)));
  }

  it('gives the dataset that local files of the same rows give, of any format', async () => {
    await shop.write('trips.parquet', TRIPS);
    const local = await shop.build(tripsSpec({ features }, { key: 'id' }));
    await put('trips/part 1.parquet', `FROM (${TRIPS}) WHERE id % 2 = 0`);
    await put('trips/deep/part-2.parquet', `FROM (${TRIPS}) WHERE id % 2 = 1`);
    await test.put('trips/_SUCCESS', '');
    await test.put('trips/_temporary/0.parquet', 'half');
    const fetched = await build();
    expect(fetched.digest).toBe(local.digest);
    expect(fetched.card.files.map(({ name }) => name)).toEqual([
      'trips/deep/part-2.parquet',
      'trips/part 1.parquet',
    ]);
  });

  it.each(['csv', 'json'] as const)('reads %s', async (format) => {
    await shop.write('trips.parquet', TRIPS);
    const local = await shop.build(tripsSpec({ features }, { key: 'id' }));
    await put(`trips/all.${format}`, TRIPS);
    expect((await build(format)).digest).toBe(local.digest);
  });

  it('is refused when it is not there, empty, or no such file', async () => {
    const problem = async (bucket = test.bucket) => {
      const building = shop.build(spec(bucket), { sources: sources() });
      const error: unknown = await building.catch((thrown: unknown) => thrown);
      return (error as { problem: string }).problem;
    };
    expect(await problem('perennial-nowhere')).toBe('there is no such bucket');
    expect(await problem()).toBe(
      `no object of the bucket '${test.bucket}' has a key that begins with 'trips/'`,
    );
    await test.put('trips/a.parquet', '');
    expect(await problem()).toBe(`the object 'trips/a.parquet' is empty`);
    await test.put('trips/a.parquet', 'no parquet at all, whatever it is called');
    expect(await problem()).toContain('trips/a.parquet');
    expect(await problem()).not.toContain(shop.folder);
  });

  it('is known by its objects before they are read', async () => {
    const options = { spec: spec(test.bucket), folder: shop.folder, digests: new FileDigests() };
    const fingerprint = () => sourceFingerprint({ ...options, sources: sources() });
    expect(await fingerprint()).toBeNull();
    await put('trips/a.parquet', TRIPS);
    const first = await fingerprint();
    expect(first).toMatch(/^sha256:/);
    await test.put('elsewhere', 'x');
    expect(await fingerprint()).toBe(first);
    await put('trips/a.parquet', `FROM (${TRIPS}) LIMIT 100`);
    expect(await fingerprint()).not.toBe(first);
  });
});
