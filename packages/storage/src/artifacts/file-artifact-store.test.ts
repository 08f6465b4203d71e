import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, type Digest } from '@perennial/contract';
import { ArtifactCorruptError, StorageFullError } from '../errors.ts';
import { artifactStoreContract } from '../testing/artifact-store-contract.ts';
import { artifactKey, digestOf } from './digest.ts';
import { FileArtifactStore } from './file-artifact-store.ts';

artifactStoreContract('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-artifacts-'));
  return {
    store: await FileArtifactStore.open({ folder }),
    damage: (digest, bytes) => writeFile(join(folder, artifactKey(digest)), bytes),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-artifacts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function digests(store: FileArtifactStore): Promise<Digest[]> {
  const found: Digest[] = [];
  for await (const digest of store.list()) found.push(digest);
  return found;
}

const temporaryFiles = () => readdir(join(folder, 'tmp'));

/** The built package in a process of its own, since a child of Node 20 cannot run TypeScript. */
const BUILT = new URL('../../dist/index.js', import.meta.url).href;
const childScript = (body: string) => `
  const { FileArtifactStore } = await import(${JSON.stringify(BUILT)});
  const store = await FileArtifactStore.open({ folder: process.argv[1] });
  ${body}`;

describe('a process that is killed while it puts an artifact', () => {
  async function killWhilePutting(): Promise<void> {
    const script = childScript(`
      await store.putStream((async function* () {
        yield Buffer.alloc(100_000);
        console.log('all bytes are written');
        await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
      })());`);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  it('leaves nothing that can be seen, and the next put of the same bytes succeeds', async () => {
    await killWhilePutting();
    const store = await FileArtifactStore.open({ folder });
    expect(await digests(store)).toEqual([]);
    expect(await store.has(digestOf(Buffer.alloc(100_000)))).toBe(false);
    const { digest } = await store.put(Buffer.alloc(100_000));
    expect(digestOf(await store.get(digest))).toBe(digest);
  });

  it('leaves a file that is removed when it is old, and not while its writer may be alive', async () => {
    await killWhilePutting();
    const clock = new ManualClock(new Date());
    await FileArtifactStore.open({ folder, clock });
    expect(await temporaryFiles()).toHaveLength(1);
    clock.advance(2 * 3_600_000);
    await FileArtifactStore.open({ folder, clock });
    expect(await temporaryFiles()).toEqual([]);
  });
});

describe('a stream that ends badly', () => {
  it('leaves nothing', async () => {
    const store = await FileArtifactStore.open({ folder });
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('cut off');
    }
    await expect(store.putStream(broken())).rejects.toThrow('cut off');
    expect([await digests(store), await temporaryFiles()]).toEqual([[], []]);
  });

  it('leaves nothing when it brings other bytes than were expected', async () => {
    const store = await FileArtifactStore.open({ folder });
    const expected = digestOf(Buffer.from('expected'));
    await expect(store.putStream([Buffer.from('other')], expected)).rejects.toBeInstanceOf(
      ArtifactCorruptError,
    );
    expect([await digests(store), await temporaryFiles()]).toEqual([[], []]);
  });
});

describe('a full disk', () => {
  /** Runs in a process whose files may not grow beyond 100 kB, which the system reports as it does a full disk. */
  it('is reported by name and leaves nothing, as far as a limit on file size can tell', async () => {
    const script = childScript(`
      const error = await store.put(Buffer.alloc(1_000_000)).catch((caught) => caught);
      console.log(JSON.stringify({ name: error.name, code: error.code, cause: error.cause?.code }));`);
    const limited = [
      '-c',
      'ulimit -f 200 && exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      folder,
    ];
    const output = execFileSync('/bin/sh', limited, { encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual({ name: 'StorageFullError', code: 'storage-full', cause: 'EFBIG' });
    const store = await FileArtifactStore.open({ folder });
    expect([await digests(store), await temporaryFiles()]).toEqual([[], []]);
  });

  it('is reported by name and leaves nothing, on a real one of 1 MB', async ({ skip }) => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    skip(!mountSmallDisk(disk), 'needs root and the right to mount');
    try {
      const store = await FileArtifactStore.open({ folder: disk });
      const kept = await store.put(Buffer.alloc(400_000, 'kept'));
      await expect(store.put(Buffer.alloc(900_000))).rejects.toBeInstanceOf(StorageFullError);
      expect([await digests(store), await readdir(join(disk, 'tmp'))]).toEqual([[kept.digest], []]);
      await store.delete(kept.digest);
      await expect(store.put(Buffer.alloc(900_000))).resolves.toMatchObject({ bytes: 900_000 });
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

function mountSmallDisk(disk: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
