import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JournalFullError } from '../errors.ts';
import { readAll } from '../testing/read-journal.ts';
import { makeRecords } from '../testing/records.ts';
import { Journal } from './journal.ts';

function mountTinyDisk(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'perennial-tiny-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmdirSync(folder);
    return undefined;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', [folder]);
  rmdirSync(folder);
}

const probe = mountTinyDisk();
if (probe !== undefined) unmount(probe);

describe.skipIf(probe === undefined)('on a full disk (needs the right to mount)', () => {
  let folder = '';
  let journal: Journal;
  const ballast = () => join(folder, 'ballast');

  beforeEach(async () => {
    folder = mountTinyDisk() ?? '';
    // Room for some hundred records is left.
    const { bavail, bsize } = statfsSync(folder);
    await writeFile(ballast(), Buffer.alloc(bavail * bsize - 40_000));
  });
  afterEach(async () => {
    await journal.close();
    unmount(folder);
  });

  async function fill(): Promise<{ written: string[]; refusals: unknown[] }> {
    const written: string[] = [];
    const refusals: unknown[] = [];
    for (const record of makeRecords(300)) {
      await journal.append([record]).then(
        () => written.push(record),
        (error: unknown) => refusals.push(error),
      );
    }
    return { written, refusals };
  }

  test('refuses what has no room, holds exactly what it acknowledged, and goes on when there is room', async () => {
    journal = await Journal.open({ folder });
    const { written, refusals } = await fill();
    expect(written.length).toBeGreaterThan(0);
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(JournalFullError);
    expect(refusals[0]).toMatchObject({ code: 'storage-full', cause: { code: 'ENOSPC' } });
    expect(journal.counters.refused).toBe(refusals.length);
    expect(await readAll(journal)).toEqual(written);

    await rm(ballast());
    const more = makeRecords(3);
    await journal.append(more);
    expect(await readAll(journal)).toEqual([...written, ...more]);
    expect(journal.counters.damagedBytes).toBe(0);

    await journal.close();
    journal = await Journal.open({ folder });
    expect(await readAll(journal)).toEqual([...written, ...more]);
    expect(journal.counters.tornBytes).toBe(0);
  });

  test('acknowledges and counts what it drops, when told to', async () => {
    journal = await Journal.open({ folder, whenFull: 'drop-and-count' });
    const { written, refusals } = await fill();
    expect(refusals).toEqual([]);
    expect(written).toHaveLength(300);
    expect(journal.counters.dropped).toBeGreaterThan(0);
    expect(await readAll(journal)).toHaveLength(300 - journal.counters.dropped);
  });

  test('drops and refuses of one write as the terms of each append say', async () => {
    journal = await Journal.open({ folder });
    await fill();
    const before = { ...journal.counters };
    const large = makeRecords(60);
    const outcomes = await Promise.allSettled([
      journal.append(large),
      journal.append(large, { whenFull: 'drop-and-count', durability: 'process' }),
      journal.append(large.slice(0, 7), { durability: 'none' }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(journal.counters.refused - before.refused).toBe(60);
    expect(journal.counters.dropped - before.dropped).toBe(67);
  });
});
