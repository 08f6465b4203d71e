import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readAll } from '../testing/read-journal.ts';
import { makeRecords } from '../testing/records.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { Journal } from './journal.ts';
import { segmentPath } from './segment-files.ts';

/** A closed journal of one segment with a frame for every record, and where each frame begins. */
async function writeSegment(folder: string, records: readonly string[]): Promise<number[]> {
  const journal = await Journal.open({ folder, durability: 'process' });
  const starts: number[] = [];
  for (const record of records) {
    starts.push(journal.end.offset);
    await journal.append([record]);
  }
  await journal.close();
  return starts;
}

/** A folder with a copy of the first segment, changed by `change`, opened and read. */
async function reopen(segment: string, folder: string, change: (path: string) => Promise<void>) {
  await mkdir(folder);
  const path = segmentPath(folder, 1);
  await copyFile(segment, path);
  await change(path);
  const journal = await Journal.open({ folder, durability: 'process' });
  const found = await readAll(journal);
  await journal.append(['"after"']);
  const then = await readAll(journal);
  await journal.close();
  return { found, then, counters: journal.counters };
}

describe('a torn tail', () => {
  test('is cut off, wherever in the last frame the crash came, and nothing before it is lost', async () => {
    const folder = await temporaryFolder();
    const records = makeRecords(3);
    const [, , last = 0] = await writeSegment(join(folder, 'whole'), records);
    const segment = segmentPath(join(folder, 'whole'), 1);
    const { length } = await readFile(segment);
    for (let cut = last; cut < length; cut++) {
      const { found, then, counters } = await reopen(segment, join(folder, String(cut)), (path) =>
        truncate(path, cut),
      );
      expect(found).toEqual(records.slice(0, 2));
      expect(then).toEqual([...records.slice(0, 2), '"after"']);
      expect(counters.tornBytes).toBe(cut - last);
    }
  });

  test('is cut off whatever the records and the garbage behind them are', async () => {
    const folder = await temporaryFolder();
    let run = 0;
    const texts = fc.array(fc.json(), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(texts, fc.uint8Array({ minLength: 1, maxLength: 40 }), async (records, garbage) => {
        const own = join(folder, String(run++));
        await writeSegment(own, records);
        const segment = segmentPath(own, 1);
        const whole = await readFile(segment);
        const { found } = await reopen(segment, `${own}-torn`, (path) =>
          writeFile(path, Buffer.concat([whole, garbage])),
        );
        expect(found).toEqual(records);
      }),
      { numRuns: 40 },
    );
  });
});

describe('damage in the middle', () => {
  test('costs the frame it is in and no other, whichever byte is changed', async () => {
    const folder = await temporaryFolder();
    const records = makeRecords(4);
    const starts = await writeSegment(join(folder, 'whole'), records);
    const segment = segmentPath(join(folder, 'whole'), 1);
    const whole = await readFile(segment);
    let run = 0;
    const anywhere = fc.integer({ min: 0, max: (starts[3] ?? 0) - 1 });
    await fc.assert(
      fc.asyncProperty(anywhere, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const hit = starts.findLastIndex((start) => start <= at);
        const { found, counters } = await reopen(segment, join(folder, String(run++)), async (path) => {
          const damaged = Buffer.from(whole);
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          await writeFile(path, damaged);
        });
        expect(found).toEqual(records.filter((_, index) => index !== hit));
        expect(counters.damagedBytes).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a process that is killed while it appends', () => {
  const script = fileURLToPath(new URL('../../dist/testing/appending-process.js', import.meta.url));

  test.each([
    ['in one segment', 64 * 1024 * 1024],
    ['while segments rotate', 20_000],
  ])('has every acknowledged record in the journal once, %s', async (_, segmentBytes) => {
    const folder = await temporaryFolder();
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      acknowledged.push(
        ...(await appendUntilKilled([script, folder, String(segmentBytes)], 200 + round * 77)),
      );
    }
    const journal = await Journal.open({ folder });
    onTestFinished(() => journal.close());
    const found = (await readAll(journal)).map((record) => (JSON.parse(record) as { id: string }).id);
    expect(new Set(found).size).toBe(found.length);
    expect(acknowledged.filter((id) => !found.includes(id))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(600);
  });

  /** Kills the process as soon as it has acknowledged that many, and answers what it acknowledged. */
  async function appendUntilKilled(args: string[], enough: number): Promise<string[]> {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.split('\n').length > enough) child.kill('SIGKILL');
    });
    await once(child, 'close');
    expect(child.signalCode).toBe('SIGKILL');
    // The last line may be cut.
    return printed.split('\n').slice(0, -1);
  }
});
