import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { JournalLockedError } from '../errors.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { FolderLock } from './folder-lock.ts';

async function acquire(folder: string): Promise<FolderLock> {
  const lock = await FolderLock.acquire(folder);
  onTestFinished(() => lock.release());
  return lock;
}

/** The owner that a lock file names, with some of it changed. */
async function rewriteOwner(folder: string, change: Record<string, unknown>): Promise<void> {
  const path = join(folder, 'lock');
  const owner = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...owner, ...change }));
}

const deadPid = pidOfDeadProcess();

async function pidOfDeadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'close');
  return child.pid ?? 0;
}

describe('a holder that is waited for', () => {
  test('gives the folder up to who waits', async () => {
    const folder = await temporaryFolder();
    const first = await FolderLock.acquire(folder);
    const second = await FolderLock.acquire(folder, { waitMilliseconds: 300, delay: () => first.release() });
    await expect(FolderLock.acquire(folder)).rejects.toThrow(JournalLockedError);
    await second.release();
  });

  test('keeps it when it stays for longer', async () => {
    const folder = await temporaryFolder();
    await acquire(folder);
    const waits: number[] = [];
    const delay = async (milliseconds: number) => waits.push(milliseconds);
    const waiting = FolderLock.acquire(folder, { waitMilliseconds: 300, delay });
    await expect(waiting).rejects.toThrow(JournalLockedError);
    expect(waits).toEqual([100, 100, 100]);
    expect(await readdir(folder)).toEqual(['lock']);
  });
});

describe('a folder that is locked', () => {
  test('is refused to a second owner, who is told of the first', async () => {
    const folder = await temporaryFolder();
    await acquire(folder);
    const refusal: unknown = await FolderLock.acquire(folder).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(JournalLockedError);
    expect(refusal).toHaveProperty('message', expect.stringContaining(`process ${process.pid}`));
  });

  test('is free after release, and nothing of the lock is left', async () => {
    const folder = await temporaryFolder();
    await (await acquire(folder)).release();
    expect(await readdir(folder)).toEqual([]);
    await acquire(folder);
  });

  test('goes to one of many that ask at once', async () => {
    const folder = await temporaryFolder();
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => acquire(folder)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['lock']);
  });
});

describe('a lock that was left behind', () => {
  test('is taken over when its process is gone', async () => {
    const folder = await temporaryFolder();
    await acquire(folder);
    await rewriteOwner(folder, { pid: await deadPid });
    await acquire(folder);
    expect(await readdir(folder)).toEqual(['lock']);
  });

  test.runIf(process.platform === 'linux')('is taken over when its pid is now another process', async () => {
    const folder = await temporaryFolder();
    await acquire(folder);
    await rewriteOwner(folder, { started: '1' });
    await acquire(folder);
  });

  test('on another machine is held for as long as its heart beats', async () => {
    const folder = await temporaryFolder();
    await acquire(folder);
    await rewriteOwner(folder, { place: 'elsewhere', pid: 1 });
    await expect(FolderLock.acquire(folder)).rejects.toThrow(JournalLockedError);
    const longAgo = new Date(0);
    await utimes(join(folder, 'lock'), longAgo, longAgo);
    await acquire(folder);
  });

  test('that cannot be read is held until its heart has stopped', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await writeFile(path, 'not json');
    await expect(FolderLock.acquire(folder)).rejects.toThrow(/an unknown process/);
    await utimes(path, new Date(0), new Date(0));
    await acquire(folder);
  });

  test('goes to one of many that find it', async () => {
    for (let round = 0; round < 20; round++) {
      const folder = await temporaryFolder();
      await acquire(folder);
      await rewriteOwner(folder, { pid: await deadPid });
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => acquire(folder)));
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
      const refusals = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      for (const refusal of refusals) expect(refusal).toBeInstanceOf(JournalLockedError);
      expect(await readdir(folder)).toEqual(['lock']);
    }
  });

  test('is taken over from a claimant that died while taking over', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await acquire(folder);
    await rewriteOwner(folder, { pid: await deadPid });
    const dead = await readFile(path, 'utf8');
    const claimant = JSON.stringify({ ...(JSON.parse(dead) as object), nonce: 'claimant' });
    const digest = createHash('sha256').update(dead).digest('hex').slice(0, 32);
    await writeFile(join(folder, `lock.claim-${digest}`), claimant);
    await acquire(folder);
    expect(await readdir(folder)).toEqual(['lock']);
    expect(await readFile(path, 'utf8')).toContain(`"pid":${process.pid}`);
    await expect(FolderLock.acquire(folder)).rejects.toThrow(JournalLockedError);
  });
});
