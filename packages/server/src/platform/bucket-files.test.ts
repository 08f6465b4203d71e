import { createHash } from 'node:crypto';
import type { LoadedPipeline } from '@perennial/pipeline/load';
import { S3Objects } from '@perennial/storage';
import { SPEC, createTestBucket, hasTestStore, type TestBucket } from '@perennial/storage/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BucketFiles, bucketLister } from './bucket-files.ts';

function loaded(source: LoadedPipeline['spec']['data']['source']): LoadedPipeline {
  const spec = { ...SPEC, data: { ...SPEC.data, source } };
  return { file: 'pipeline.ts', folder: '.', spec, functions: {}, codeDigest: 'sha256:00' };
}

describe('bucketLister', () => {
  const objects = new S3Objects({
    endpoint: 'http://127.0.0.1:1',
    accessKey: 'someone',
    secretKey: 'something',
  });
  const bucket = { kind: 'objectStore', bucket: 'trips', prefix: '', format: 'csv' } as const;

  it('watches buckets and nothing else, where there is a store', () => {
    expect(bucketLister(objects)(loaded(bucket))).toBeInstanceOf(BucketFiles);
    expect(bucketLister(objects)(loaded({ kind: 'stream', stream: 'trips' }))).toBeUndefined();
    expect(bucketLister(undefined)(loaded(bucket))).toBeUndefined();
  });
});

describe.skipIf(!hasTestStore)('BucketFiles in the store at S3_TEST_ENDPOINT', () => {
  let test: TestBucket;
  beforeEach(async () => {
    test = await createTestBucket();
  });
  afterEach(() => test.remove());

  it('sees the files that the source reads, with another version when their content is another', async () => {
    const files = new BucketFiles(new S3Objects(test.account), { bucket: test.bucket, prefix: 'trips/' });
    for (const key of ['trips/a.csv', 'trips/_SUCCESS', 'trips/.part/b.csv', 'other/c.csv'])
      await test.put(key, 'rows');
    const [first, ...others] = await files.listFiles();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ name: 'trips/a.csv', bytes: 4 });
    expect(await first?.digest()).toBe(`sha256:${createHash('sha256').update('rows').digest('hex')}`);
    await test.put('trips/a.csv', 'more');
    const [second] = await files.listFiles();
    expect(second?.version).not.toBe(first?.version);
    await expect(first?.digest()).rejects.toMatchObject({ transient: true });
  });
});
