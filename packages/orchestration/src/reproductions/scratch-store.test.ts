import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileArtifactStore, artifactKey, type ArtifactStore } from '@perennial/storage';
import { artifactStoreContract } from '@perennial/storage/testing';
import { ScratchStore } from './scratch-store.ts';

artifactStoreContract('a scratch store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-scratch-'));
  const behind = await FileArtifactStore.open({ folder: join(folder, 'behind') });
  return {
    store: await ScratchStore.open(join(folder, 'front'), behind),
    damage: (digest, bytes) => writeFile(join(folder, 'front', artifactKey(digest)), bytes),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

let folder: string;
let behind: FileArtifactStore;
let scratch: ScratchStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-scratch-'));
  behind = await FileArtifactStore.open({ folder: join(folder, 'behind') });
  scratch = await ScratchStore.open(join(folder, 'scratch'), behind);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function listed(store: ArtifactStore): Promise<string[]> {
  const digests: string[] = [];
  for await (const digest of store.list()) digests.push(digest);
  return digests.sort();
}

describe('a scratch store', () => {
  it('reads what is behind it, and keeps what is put to itself', async () => {
    const old = await behind.put(Buffer.from('old'));
    const made = await scratch.put(Buffer.from('made'));
    expect(Buffer.from(await scratch.get(old.digest)).toString()).toBe('old');
    expect(Buffer.from(await scratch.get(made.digest)).toString()).toBe('made');
    expect(await scratch.fetchFile(old.digest)).toContain('behind');
    expect(await scratch.fetchFile(made.digest)).toContain('scratch');
    expect([await scratch.has(old.digest), await scratch.has(made.digest)]).toEqual([true, true]);
    expect(await listed(behind)).toEqual([old.digest]);
    expect(await listed(scratch)).toEqual([old.digest, made.digest].sort());
  });

  it('names an artifact once that both hold, and takes nothing away from behind', async () => {
    const { digest } = await behind.put(Buffer.from('same'));
    await scratch.put(Buffer.from('same'));
    expect(await listed(scratch)).toEqual([digest]);
    await scratch.delete(digest);
    expect(await behind.has(digest)).toBe(true);
  });

  it('has not what neither holds', async () => {
    const { digest } = await scratch.put(Buffer.from('gone'));
    await scratch.delete(digest);
    await expect(scratch.get(digest)).rejects.toMatchObject({ code: 'artifact-not-found' });
    await expect(scratch.fetchFile(digest)).rejects.toMatchObject({ code: 'artifact-not-found' });
    expect(await scratch.has(digest)).toBe(false);
  });
});
