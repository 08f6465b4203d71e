import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@perennial/contract';
import { ArtifactCorruptError } from '../errors.ts';
import { ArtifactCache } from './artifact-cache.ts';
import { digestOf } from './digest.ts';

const HOUR = 3_600_000;

let folder: string;
let clock: ManualClock;
let cache: ArtifactCache;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-cache-'));
  clock = new ManualClock('2001-01-01T00:00:00Z');
  cache = await ArtifactCache.open({ folder, maxBytes: 2_500, clock });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function admit(fill: string) {
  const bytes = Buffer.alloc(1_000, fill);
  await cache.admit(Readable.from([bytes]));
  clock.advance(HOUR);
  return digestOf(bytes);
}

describe('the cache of artifacts', () => {
  it('lets go of what was not asked for longest when it grows too big', async () => {
    const [a, b] = [await admit('a'), await admit('b')];
    expect(await cache.find(a)).toBeDefined();
    clock.advance(HOUR);
    const c = await admit('c');
    expect(
      [await cache.find(a), await cache.find(b), await cache.find(c)].map((path) => path !== undefined),
    ).toEqual([true, false, true]);
  });

  it('keeps what was asked for just now, even when it is too big', async () => {
    const digests = await Promise.all(
      ['a', 'b', 'c', 'd'].map(
        async (fill) => (await cache.admit(Readable.from([Buffer.alloc(1_000, fill)]))).digest,
      ),
    );
    for (const digest of digests) expect(await cache.find(digest)).toBeDefined();
  });

  it('drops a copy that was damaged', async () => {
    const digest = await admit('a');
    const path = (await cache.find(digest)) ?? '';
    await writeFile(path, 'damaged');
    expect(await cache.find(digest)).toBeUndefined();
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('does not keep what is not what was expected', async () => {
    const expected = digestOf(Buffer.from('expected'));
    await expect(cache.admit(Readable.from([Buffer.from('other')]), expected)).rejects.toBeInstanceOf(
      ArtifactCorruptError,
    );
    expect(await cache.find(expected)).toBeUndefined();
    expect(await cache.find(digestOf(Buffer.from('other')))).toBeUndefined();
  });
});
