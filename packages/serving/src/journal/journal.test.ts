import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  JournalClosedError,
  JournalFullError,
  JournalWriteError,
  OverloadedError,
  RecordTooLargeError,
} from '../errors.ts';
import { readAll } from '../testing/read-journal.ts';
import { makeRecords } from '../testing/records.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { CursorFile } from './cursor-file.ts';
import { MAX_RECORD_BYTES } from './frame-buffer.ts';
import { Journal } from './journal.ts';
import type { JournalOptions } from './journal-options.ts';

async function openJournal(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ folder: await temporaryFolder(), ...options });
  onTestFinished(() => journal.close());
  return journal;
}

describe('an append', () => {
  test('is there when the journal is read, and when it is opened again', async () => {
    const folder = await temporaryFolder();
    const records = makeRecords(3);
    const journal = await openJournal({ folder });
    await journal.append(records.slice(0, 2));
    await journal.append(records.slice(2));
    expect(await readAll(journal)).toEqual(records);
    await journal.close();
    expect(await readAll(await openJournal({ folder }))).toEqual(records);
  });

  test('of a thousand records is split into frames and keeps its order', async () => {
    const journal = await openJournal();
    const records = makeRecords(1_000);
    await journal.append(records);
    expect(await readAll(journal)).toEqual(records);
    expect(journal.counters).toMatchObject({ appends: 1, records: 1_000, commits: 1 });
  });

  test('of nothing is acknowledged at once', async () => {
    const journal = await openJournal();
    await journal.append([]);
    expect(journal.counters.commits).toBe(0);
  });

  test('of any text comes back unchanged', async () => {
    const journal = await openJournal();
    const texts = ['', 'Zürich \u{1F6EB} \u0001\n\0', 'ÿ'.repeat(70_000)];
    const records = texts.map((text) => JSON.stringify(text));
    for (const record of records) await journal.append([record]);
    expect(await readAll(journal)).toEqual(records);
  });

  test('of a record that no frame can hold is refused, and the journal goes on', async () => {
    const journal = await openJournal();
    const [record = ''] = makeRecords(1);
    await expect(journal.append([record, 'x'.repeat(MAX_RECORD_BYTES + 1)])).rejects.toThrow(
      RecordTooLargeError,
    );
    await journal.append(['"after"']);
    expect(await readAll(journal)).toEqual(['"after"']);
  });

  test('of the largest record can be read', async () => {
    const journal = await openJournal();
    const largest = 'x'.repeat(MAX_RECORD_BYTES);
    await journal.append(['"before"', largest, '"after"']);
    expect(await readAll(journal)).toEqual(['"before"', largest, '"after"']);
  });

  test('of large records is read in batches that are limited in bytes', async () => {
    const journal = await openJournal();
    const records = Array.from({ length: 20 }, (_, i) => JSON.stringify(`${i}`.padEnd(1_000_000)));
    for (const record of records) await journal.append([record]);
    const reader = journal.read();
    const sizes: number[] = [];
    const read: string[] = [];
    for (let batch = await reader.next(100); batch !== undefined; batch = await reader.next(100)) {
      sizes.push(batch.records.length);
      read.push(...batch.records);
    }
    expect(sizes).toEqual([9, 9, 2]);
    expect(read).toEqual(records);
  });

  test('is behind a position until it is read', async () => {
    const journal = await openJournal({ segmentBytes: 3_000 });
    const reader = journal.read();
    const start = reader.position;
    expect(journal.bytesBehind(start)).toBe(0);
    let grown = false;
    const growth = journal.grown(start, new AbortController().signal).then(() => (grown = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(grown).toBe(false);
    for (const record of makeRecords(40)) await journal.append([record]);
    await growth;
    expect(journal.bytesBehind(start)).toBe(journal.storedBytes);
    while ((await reader.next(7)) !== undefined);
    expect(journal.bytesBehind(reader.position)).toBe(0);
    expect(journal.storedBytes).toBeGreaterThan(3_000);
  });

  test('that is waited for in vain may be waited for no longer', async () => {
    const journal = await openJournal();
    const gaveUp = new AbortController();
    const growth = journal.grown(journal.end, gaveUp.signal);
    gaveUp.abort();
    await growth;
    await journal.grown(journal.end, gaveUp.signal);
  });
});

describe('group commit', () => {
  test('writes the appends of one turn by one write and one sync', async () => {
    const journal = await openJournal();
    await Promise.all(makeRecords(200).map((record) => journal.append([record])));
    expect(journal.counters).toMatchObject({ appends: 200, records: 200, commits: 1, syncs: 1 });
  });

  test('gathers what arrives during a write: callers that each wait for their own need far fewer syncs than appends', async () => {
    const journal = await openJournal();
    const caller = async () => {
      for (const record of makeRecords(20)) await journal.append([record]);
    };
    await Promise.all(Array.from({ length: 50 }, caller));
    expect(journal.counters.appends).toBe(1_000);
    expect(journal.counters.syncs).toBeLessThanOrEqual(100);
  });

  test('refuses more than the queue may hold, and takes appends again once it is written', async () => {
    const journal = await openJournal({ queueBytes: 1_000 });
    const results = await Promise.allSettled(makeRecords(50).map((record) => journal.append([record])));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(40);
    expect(refused[0]?.reason).toBeInstanceOf(OverloadedError);
    expect(journal.counters.overloads).toBe(refused.length);
    await journal.append(makeRecords(1));
    expect(await readAll(journal)).toHaveLength(50 - refused.length + 1);
    expect(journal.queuedBytes).toBe(0);
  });
});

describe('durability', () => {
  test('process writes without syncing', async () => {
    const journal = await openJournal({ durability: 'process' });
    await journal.append(makeRecords(1));
    expect(journal.counters).toMatchObject({ commits: 1, syncs: 0 });
    expect(await readAll(journal)).toHaveLength(1);
  });

  test('none acknowledges before the write, which follows', async () => {
    const journal = await openJournal({ durability: 'none' });
    await journal.append(makeRecords(1));
    expect(journal.counters.commits).toBe(0);
    await journal.settle();
    expect(await readAll(journal)).toHaveLength(1);
  });
});

describe('terms of an append', () => {
  test('bring what wants the disk there in a journal that does not sync by itself', async () => {
    const journal = await openJournal({ durability: 'process' });
    await journal.append(makeRecords(1));
    expect(journal.counters.syncs).toBe(0);
    await journal.append(makeRecords(1), { durability: 'disk' });
    expect(journal.counters).toMatchObject({ commits: 2, syncs: 1 });
    await journal.append(makeRecords(1));
    expect(journal.counters).toMatchObject({ commits: 3, syncs: 1 });
    expect(await readAll(journal)).toHaveLength(3);
  });

  test('acknowledge what need not be on the disk while others of the same write still wait for it', async () => {
    const journal = await openJournal();
    const order: string[] = [];
    const disk = journal.append(makeRecords(1)).then(() => order.push('disk'));
    const written = journal
      .append(makeRecords(1), { durability: 'process' })
      .then(() => order.push('process'));
    const made = journal.append(makeRecords(1), { durability: 'none' }).then(() => order.push('none'));
    await made;
    expect(journal.counters.commits).toBe(0);
    await written;
    expect(journal.counters).toMatchObject({ commits: 1, syncs: 0 });
    await disk;
    expect(journal.counters).toMatchObject({ commits: 1, syncs: 1 });
    expect(order).toEqual(['none', 'process', 'disk']);
  });

  test('hold while segments rotate under callers of every kind: each record is there once', async () => {
    const folder = await temporaryFolder();
    const journal = await openJournal({ folder, segmentBytes: 3_000 });
    const records = makeRecords(600);
    const kinds = ['disk', 'process', 'none'] as const;
    const caller = async (_: unknown, at: number) => {
      for (let i = at; i < records.length; i += 30)
        await journal.append([records[i] ?? ''], { durability: kinds[at % 3] ?? 'disk' });
    };
    await Promise.all(Array.from({ length: 30 }, caller));
    await journal.close();
    expect(journal.counters).toMatchObject({ records: 600, failures: 0 });
    const found = await readAll(await openJournal({ folder }));
    expect([...found].sort()).toEqual([...records].sort());
  });

  test('decide for each append what happens when the journal is full', async () => {
    const journal = await openJournal({ maxBytes: 1 });
    await journal.append(makeRecords(1));
    await expect(journal.append(makeRecords(2))).rejects.toThrow(JournalFullError);
    await journal.append(makeRecords(3), { whenFull: 'drop-and-count' });
    expect(journal.counters).toMatchObject({ records: 1, refused: 2, dropped: 3 });
  });
});

describe('segments', () => {
  test('are closed at their size, read in order, and deleted when released', async () => {
    const folder = await temporaryFolder();
    const journal = await openJournal({ folder, segmentBytes: 1_000 });
    const records = makeRecords(20);
    for (const record of records) await journal.append([record]);
    const names = async () => (await readdir(folder)).filter((name) => name.endsWith('.journal-v1'));
    const before = await names();
    expect(before.length).toBeGreaterThanOrEqual(4);
    expect(await readAll(journal)).toEqual(records);

    await journal.release({ segment: 3, offset: 0 });
    expect(await names()).toEqual(before.slice(2));
    expect(records.slice(-5)).toEqual((await readAll(journal)).slice(-5));
  });

  test('begin anew beyond the cursor at every opening, so that nothing is put where shipping has been', async () => {
    const folder = await temporaryFolder();
    const first = await openJournal({ folder });
    await new CursorFile(folder).save({ segment: 41, offset: 7 });
    await first.close();
    const second = await openJournal({ folder });
    expect(second.end).toEqual({ segment: 42, offset: 0 });
  });

  test('count towards the limit of the journal', async () => {
    const journal = await openJournal({ maxBytes: 1_000 });
    const outcomes: PromiseSettledResult<void>[] = [];
    for (const record of makeRecords(10))
      outcomes.push(...(await Promise.allSettled([journal.append([record])])));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.reason).toBeInstanceOf(JournalFullError);
    expect(journal.counters.refused).toBe(refused.length);
    expect(await readAll(journal)).toHaveLength(10 - refused.length);
  });
});

describe('a write that fails', () => {
  test('fails its appends with the cause, and the next append is tried afresh', async () => {
    const folder = join(await temporaryFolder(), 'journal');
    const journal = await openJournal({ folder });
    await rm(folder, { recursive: true });
    const failure: unknown = await journal.append(makeRecords(1)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JournalWriteError);
    expect(failure).toMatchObject({ code: 'unavailable', transient: true, cause: { code: 'ENOENT' } });
    expect(journal.counters.failures).toBe(1);

    await mkdir(folder);
    const [record = ''] = makeRecords(1);
    await journal.append([record]);
    expect(await readAll(journal)).toEqual([record]);
  });
});

describe('closing', () => {
  test('writes what waits, then refuses', async () => {
    const folder = await temporaryFolder();
    const journal = await openJournal({ folder });
    const waiting = journal.append(makeRecords(5));
    await journal.close();
    await waiting;
    await expect(journal.append(makeRecords(1))).rejects.toThrow(JournalClosedError);
    expect(await readAll(await openJournal({ folder }))).toHaveLength(5);
  });
});
