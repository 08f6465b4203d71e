import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderInUseError } from '../../errors.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';
import { isRunning, liveness, ownIdentity, type ProcessIdentity } from './process-identity.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-lock-'));
  file = join(folder, 'owner.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function deadOwner(): Promise<ProcessIdentity> {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  return { ...(await ownIdentity()), pid };
}

describe('a folder', () => {
  it('is locked until it is given back, and says by whom', async () => {
    const lock = await lockFolder(folder);
    const refused = lockFolder(folder);
    await expect(refused).rejects.toBeInstanceOf(FolderInUseError);
    await expect(refused).rejects.toMatchObject({ folder, owner: { pid: process.pid } });
    await lock.release();
    await (await lockFolder(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is taken over from a dead process', async () => {
    await writeFile(file, JSON.stringify(await deadOwner()));
    await lockFolder(folder);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(await ownIdentity());
  });

  it('is taken over from a process whose pid another one has now', async () => {
    await writeFile(file, JSON.stringify({ ...(await ownIdentity()), startedAt: '1' }));
    await expect(lockFolder(folder)).resolves.toBeDefined();
  });

  it('is taken over by one only of many that find it ownerless at the same time', async () => {
    await writeFile(file, JSON.stringify(await deadOwner()));
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(folder)));
    const taken = results.filter((result) => result.status === 'fulfilled');
    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    expect(taken).toHaveLength(1);
    for (const reason of reasons) expect(reason).toBeInstanceOf(FolderInUseError);
    await (taken[0] as PromiseFulfilledResult<FolderLock>).value.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is not taken from another machine that showed life just now, but is when that was silent', async () => {
    await writeFile(file, JSON.stringify({ pid: 1, startedAt: '1', machine: 'elsewhere' }));
    await expect(lockFolder(folder)).rejects.toThrow(/elsewhere/);
    const before = new Date(Date.now() - 60_000);
    await utimes(file, before, before);
    await expect(lockFolder(folder)).resolves.toBeDefined();
  });

  it.each(['', '{}', 'not json', '[1]', 'null'])(
    'is taken when its lock holds %j, which no owner writes',
    async (text) => {
      await writeFile(file, text);
      await expect(lockFolder(folder)).resolves.toBeDefined();
    },
  );

  it('is not given back by one that has lost it', async () => {
    const lock = await lockFolder(folder);
    const other = JSON.stringify({ pid: 1, startedAt: '1', machine: 'elsewhere' });
    await writeFile(file, other);
    await lock.release();
    expect(await readFile(file, 'utf8')).toBe(other);
  });
});

describe('a process', () => {
  it('is told from a dead one, and from one that cannot be seen', async () => {
    const own = await ownIdentity();
    expect(await liveness(own)).toBe('alive');
    expect(await liveness(await deadOwner())).toBe('dead');
    expect(await liveness({ ...own, machine: 'elsewhere' })).toBe('unknown');
    expect([await isRunning(process.pid), await isRunning(2 ** 22 + 1)]).toEqual([true, false]);
  });
});
