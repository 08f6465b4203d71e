import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { InvalidIdError, NotFoundError, type Digest } from '@perennial/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { digestOf } from '../artifacts/digest.ts';
import { ArtifactCorruptError } from '../errors.ts';

/** What the suite needs of an implementation. */
export interface ArtifactStoreSubject {
  store: ArtifactStore;
  /** Overwrites what is kept under a digest, behind the store's back. */
  damage(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Removes what the subject made. */
  remove(): Promise<void>;
}

/** What every artifact store must do, as a suite: call it inside a test file with a way to make an empty store. */
export function artifactStoreContract(name: string, create: () => Promise<ArtifactStoreSubject>): void {
  describe(`${name} as an artifact store`, () => {
    let subject: ArtifactStoreSubject;
    beforeEach(async () => {
      subject = await create();
    });
    afterEach(() => subject.remove());

    keepsBytes(() => subject);
    keepsFiles(() => subject);
    knowsWhatItHas(() => subject);
    refusesWhatIsWrong(() => subject);
  });
}

type Current = () => ArtifactStoreSubject;

function keepsBytes(current: Current): void {
  it('gives back any bytes under their sha-256', async () => {
    const { store } = current();
    const bytes = fc.uint8Array({ maxLength: 5_000 });
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        const stored = await store.put(content);
        expect(stored).toEqual({ digest: digestOf(content), bytes: content.length });
        expect(Buffer.from(await store.get(stored.digest)).equals(content)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps eight megabytes', async () => {
    const { store } = current();
    const content = randomBytes(8 << 20);
    const { digest } = await store.put(content);
    expect(digestOf(await store.get(digest))).toBe(digest);
  });

  it('takes the same bytes again, also at once, and keeps them once', async () => {
    const { store } = current();
    const content = randomBytes(1_000);
    const stored = await Promise.all(Array.from({ length: 5 }, () => store.put(content)));
    expect(new Set(stored.map(({ digest }) => digest))).toEqual(new Set([digestOf(content)]));
    expect(await digests(store)).toEqual([digestOf(content)]);
  });
}

function keepsFiles(current: Current): void {
  it('puts a file without moving it, and gives back a file', async () => {
    const { store } = current();
    const folder = await mkdtemp(join(tmpdir(), 'perennial-artifact-'));
    try {
      const content = randomBytes(3_000_000);
      const path = join(folder, 'source');
      await writeFile(path, content);
      const stored = await store.putFile(path);
      expect(stored).toEqual({ digest: digestOf(content), bytes: content.length });
      expect((await readFile(path)).equals(content)).toBe(true);
      await rm(path);
      expect((await readFile(await store.fetchFile(stored.digest))).equals(content)).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('says so when the file to put is not there', async () => {
    await expect(current().store.putFile('/nowhere/at/all')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await digests(current().store)).toEqual([]);
  });
}

function knowsWhatItHas(current: Current): void {
  it('lists what it has, and nothing that was deleted', async () => {
    const { store } = current();
    const [one, two] = [await store.put(Buffer.from('one')), await store.put(Buffer.from('two'))];
    expect(await digests(store)).toEqual([one.digest, two.digest].sort());
    await store.delete(one.digest);
    expect([await store.has(one.digest), await store.has(two.digest)]).toEqual([false, true]);
    expect(await digests(store)).toEqual([two.digest]);
    await expect(store.get(one.digest)).rejects.toBeInstanceOf(NotFoundError);
  });

  it('deletes what is not there without an error', async () => {
    const { store } = current();
    await store.delete(digestOf(Buffer.from('nothing')));
    expect(await digests(store)).toEqual([]);
  });
}

function refusesWhatIsWrong(current: Current): void {
  it('names the artifact that is not there', async () => {
    const { store } = current();
    const digest = digestOf(Buffer.from('absent'));
    for (const ask of [() => store.get(digest), () => store.fetchFile(digest)]) {
      await expect(ask()).rejects.toMatchObject({ code: 'artifact-not-found', id: digest });
    }
    expect(await store.has(digest)).toBe(false);
  });

  it.each([
    '',
    'sha256:',
    `sha256:${'0'.repeat(63)}`,
    'sha256:../../../etc/passwd',
    `sha256:${'A'.repeat(64)}`,
    `md5:${'0'.repeat(64)}`,
  ])('refuses %j as a digest', async (digest) => {
    const { store } = current();
    for (const ask of [
      () => store.get(digest),
      () => store.fetchFile(digest),
      () => store.has(digest),
      () => store.delete(digest),
    ]) {
      await expect((async () => ask())()).rejects.toBeInstanceOf(InvalidIdError);
    }
  });

  it('notices damage at every read, and mends it when the bytes are put again', async () => {
    const subject = current();
    const { store } = subject;
    const content = randomBytes(100_000);
    const { digest } = await store.put(content);
    await subject.damage(
      digest,
      Buffer.concat([content.subarray(0, 99_999), Buffer.from([(content[99_999] ?? 0) ^ 1])]),
    );
    await expect(store.get(digest)).rejects.toBeInstanceOf(ArtifactCorruptError);
    await expect(store.fetchFile(digest)).rejects.toBeInstanceOf(ArtifactCorruptError);
    await store.put(content);
    expect(digestOf(await store.get(digest))).toBe(digest);
  });
}

async function digests(store: ArtifactStore): Promise<Digest[]> {
  const found: Digest[] = [];
  for await (const digest of store.list()) found.push(digest);
  return found.sort();
}
