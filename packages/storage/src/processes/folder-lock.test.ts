import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderInUseError } from '../errors.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';

let folder: string;
let file: string;
let held: FolderLock[];
beforeEach(async () => {
  await begin();
});
afterEach(() => end());

async function begin(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'perennial-lock-'));
  file = join(folder, 'lock');
  held = [];
}

async function end(): Promise<void> {
  for (const lock of held) await lock.release();
  await rm(folder, { recursive: true, force: true });
}

async function acquire(): Promise<FolderLock> {
  const lock = await lockFolder(folder);
  held.push(lock);
  return lock;
}

/** What many that ask at once are told. */
async function acquireAtOnce(times: number): Promise<{ taken: number; refusals: unknown[] }> {
  const results = await Promise.allSettled(Array.from({ length: times }, () => acquire()));
  const refusals = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  return { taken: times - refusals.length, refusals };
}

const deadPid = spawnSync(process.execPath, ['-e', '']).pid;

/** A lock that another one left behind: that of this process, with some of what it says changed. */
async function leaveBehind(change: Record<string, unknown>): Promise<string> {
  await acquire();
  const owner = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const content = JSON.stringify({ ...owner, nonce: 'another', ...change });
  await writeFile(file, content);
  return content;
}

const silence = () => utimes(file, new Date(0), new Date(0));

describe('a folder', () => {
  it('is refused to a second holder, who is told of the first', async () => {
    await acquire();
    const refused = acquire();
    await expect(refused).rejects.toBeInstanceOf(FolderInUseError);
    await expect(refused).rejects.toMatchObject({ folder, owner: { pid: process.pid } });
    await expect(refused).rejects.toThrow(`process ${process.pid} on `);
  });

  it('is free when it was given back, and nothing of the lock is left', async () => {
    await (await acquire()).release();
    expect(await readdir(folder)).toEqual([]);
    await acquire();
    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('goes to one of many that ask at once', async () => {
    expect((await acquireAtOnce(10)).taken).toBe(1);
    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('is not given back by one that has lost it', async () => {
    const lock = await acquire();
    await writeFile(file, 'of somebody else');
    await lock.release();
    expect(await readFile(file, 'utf8')).toBe('of somebody else');
  });
});

describe('a lock that was left behind', () => {
  it('is taken over when its process is gone', async () => {
    await leaveBehind({ pid: deadPid });
    await acquire();
    expect(await readdir(folder)).toEqual(['lock']);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('is taken over when its pid is now that of another process', async () => {
    await leaveBehind({ startedAt: '1' });
    await acquire();
    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('on another machine is held for as long as its heart beats', async () => {
    await leaveBehind({ machine: 'elsewhere', pid: 1 });
    await expect(acquire()).rejects.toThrow(/process 1 on elsewhere\. It showed life \d+ s ago/);
    await silence();
    await acquire();
  });

  it.each(['', '{}', 'not json', '[1]', 'null', '{"pid":"1"}'])(
    'that says %j, which no holder writes, is held until it has been silent',
    async (text) => {
      await writeFile(file, text);
      const refused = acquire();
      await expect(refused).rejects.toThrow(/an unknown process/);
      await expect(refused).rejects.toMatchObject({ details: { folder } });
      await silence();
      await acquire();
    },
  );

  it('goes to one of many that find it', async () => {
    for (let round = 0; round < 20; round++) {
      await leaveBehind({ pid: deadPid });
      const { taken, refusals } = await acquireAtOnce(10);
      expect(taken).toBe(1);
      for (const refusal of refusals) expect(refusal).toBeInstanceOf(FolderInUseError);
      expect(await readdir(folder)).toEqual(['lock']);
      await end();
      await begin();
    }
  });

  it('is taken over from a claimant that died while taking over', async () => {
    const dead = await leaveBehind({ pid: deadPid });
    const claimant = JSON.stringify({ ...(JSON.parse(dead) as object), nonce: 'claimant' });
    const digest = createHash('sha256').update(dead).digest('hex').slice(0, 32);
    await writeFile(join(folder, `lock.claim-${digest}`), claimant);
    await acquire();
    expect(await readdir(folder)).toEqual(['lock']);
    expect(await readFile(file, 'utf8')).toContain(`"pid":${process.pid}`);
    await expect(acquire()).rejects.toThrow(FolderInUseError);
  });
});
