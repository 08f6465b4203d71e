import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NotFoundError, type Digest } from '@perennial/contract';
import { ArtifactDigestError } from '../errors.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { ArtifactCache } from './artifact-cache.ts';

const digestOf = (text: string): Digest => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A store in memory that counts what is fetched from it, and can be made unreachable. */
function storeOf(...texts: string[]) {
  const contents = new Map(texts.map((text) => [digestOf(text), Buffer.from(text)]));
  const store = {
    fetches: 0,
    reachable: true,
    fetch: async (digest: Digest): Promise<Uint8Array> => {
      store.fetches++;
      if (!store.reachable) throw new Error('The store is away.');
      const bytes = contents.get(digest);
      if (bytes === undefined) throw new NotFoundError('artifact', digest);
      return bytes;
    },
  };
  return store;
}

describe('the artifact cache', () => {
  test('fetches an artifact once, however many ask, and has it when the store is away', async () => {
    const folder = join(await temporaryFolder(), 'artifacts');
    const store = storeOf('model');
    const cache = await ArtifactCache.open({ folder, fetch: store.fetch });
    const all = await Promise.all(Array.from({ length: 20 }, () => cache.get(digestOf('model'))));
    expect(all.map(String)).toEqual(Array(20).fill('model'));
    expect(store.fetches).toBe(1);

    store.reachable = false;
    const later = await ArtifactCache.open({ folder, fetch: store.fetch });
    expect(String(await later.get(digestOf('model')))).toBe('model');
  });

  test('fetches again what was damaged on the disk', async () => {
    const folder = await temporaryFolder();
    const store = storeOf('model');
    const cache = await ArtifactCache.open({ folder, fetch: store.fetch });
    await cache.get(digestOf('model'));
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), 'mode');
    expect(String(await cache.get(digestOf('model')))).toBe('model');
    expect(await readFile(join(folder, name), 'utf8')).toBe('model');
    expect(store.fetches).toBe(2);
  });

  test('hands out nothing that the digest does not fit', async () => {
    const cache = await ArtifactCache.open({
      folder: await temporaryFolder(),
      fetch: async () => Buffer.from('other'),
    });
    await expect(cache.get(digestOf('model'))).rejects.toThrow(ArtifactDigestError);
  });

  test('checks a large artifact as it does a small one', async () => {
    const large = 'x'.repeat(1_500_000);
    const folder = await temporaryFolder();
    const cache = await ArtifactCache.open({ folder, fetch: storeOf(large).fetch });
    expect((await cache.get(digestOf(large))).length).toBe(large.length);
    const other = await ArtifactCache.open({
      folder: await temporaryFolder(),
      fetch: async () => Buffer.from(`${large}y`),
    });
    await expect(other.get(digestOf(large))).rejects.toThrow(ArtifactDigestError);
  });

  test('passes on that there is no such artifact, and asks again the next time', async () => {
    const store = storeOf();
    const cache = await ArtifactCache.open({ folder: await temporaryFolder(), fetch: store.fetch });
    await expect(cache.get(digestOf('model'))).rejects.toThrow(NotFoundError);
    await expect(cache.get(digestOf('model'))).rejects.toThrow(NotFoundError);
    expect(store.fetches).toBe(2);
  });

  test('serves what it cannot keep, and says so', async () => {
    const folder = join(await temporaryFolder(), 'artifacts');
    const problems: unknown[] = [];
    const cache = await ArtifactCache.open({
      folder,
      fetch: storeOf('model').fetch,
      onProblem: (error) => problems.push(error),
    });
    await rm(folder, { recursive: true });
    expect(String(await cache.get(digestOf('model')))).toBe('model');
    expect(problems).toMatchObject([{ code: 'ENOENT' }]);
    await mkdir(folder);
  });

  test('keeps what it is told to, and nothing else', async () => {
    const folder = await temporaryFolder();
    const cache = await ArtifactCache.open({ folder, fetch: storeOf('one', 'two').fetch });
    await cache.get(digestOf('one'));
    await cache.get(digestOf('two'));
    await cache.prune(new Set([digestOf('two')]));
    expect(await readdir(folder)).toEqual([digestOf('two').slice('sha256:'.length)]);
  });
});
