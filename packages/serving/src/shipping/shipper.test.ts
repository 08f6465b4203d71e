import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { ShippingError } from '../errors.ts';
import { CursorFile } from '../journal/cursor-file.ts';
import { Journal } from '../journal/journal.ts';
import type { JournalOptions } from '../journal/journal-options.ts';
import { encodePrediction } from '../journal/prediction-record.ts';
import { flushWhenPossible } from '../testing/flush-when-possible.ts';
import { doorTo } from '../testing/database-door.ts';
import { makeRecords, predictionMaker } from '../testing/records.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import type { Delay } from '../waiting/delay.ts';
import { createPredictionSink, type PredictionSink } from './prediction-sink.ts';
import { Shipper, type ShipperOptions } from './shipper.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());
beforeEach(() => server.database.sql`truncate predictions`);

const sink: PredictionSink = (records) => createPredictionSink(server.database)(records);

/** Waits that are over at once, so that no test waits for time to pass. */
const noDelay: Delay = () => new Promise((resolve) => setImmediate(resolve));
/** Waits that only end when they are interrupted. */
const endlessDelay: Delay = (_, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });

async function openJournal(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ folder: await temporaryFolder(), durability: 'process', ...options });
  onTestFinished(() => journal.close());
  return journal;
}

function startShipper(journal: Journal, options: Partial<ShipperOptions> = {}): Shipper {
  const shipper = new Shipper({ journal, sink, delay: noDelay, ...options });
  onTestFinished(() => shipper.stop());
  shipper.start();
  return shipper;
}

async function storedIds(): Promise<string[]> {
  const rows = await server.database.sql<{ id: string }[]>`select id from predictions order by id`;
  return rows.map((row) => row.id);
}

function idsOf(records: readonly string[]): string[] {
  return records.map((record) => (JSON.parse(record) as { id: string }).id).sort();
}

describe('shipping', () => {
  test('brings what is appended to the database without being asked', async () => {
    const journal = await openJournal();
    const arrived = new Promise<void>((resolve) => {
      startShipper(journal, { sink: (records) => sink(records).then(resolve) });
    });
    const records = makeRecords(5);
    await journal.append(records);
    await arrived;
    expect(await storedIds()).toEqual(idsOf(records));
  });

  test('has brought everything that was appended before a flush when the flush resolves', async () => {
    const journal = await openJournal({ segmentBytes: 50_000 });
    const shipper = startShipper(journal, { delay: endlessDelay });
    const make = predictionMaker();
    const records: string[] = [];
    for (let round = 0; round < 5; round++) {
      const more = makeRecords(700, make);
      records.push(...more);
      await Promise.all([journal.append(more.slice(0, 400)), journal.append(more.slice(400))]);
      await shipper.flush();
      expect(await storedIds()).toEqual(idsOf(records));
    }
    expect(shipper.counters).toMatchObject({ shipped: 3_500, failures: 0, refused: 0 });
  });

  test('covers appends that are still being written when the flush is asked for', async () => {
    const journal = await openJournal({ durability: 'disk' });
    const shipper = startShipper(journal);
    const records = makeRecords(10);
    const appended = journal.append(records);
    await shipper.flush();
    expect(await storedIds()).toEqual(idsOf(records));
    await appended;
  });

  test('of an empty journal is done at once', async () => {
    const shipper = startShipper(await openJournal(), { delay: endlessDelay });
    await shipper.flush();
    expect(shipper.counters.batches).toBe(0);
  });

  test('goes in batches of about the size asked for', async () => {
    const journal = await openJournal();
    const sizes: number[] = [];
    const counting: PredictionSink = async (records) => {
      sizes.push(records.length);
      await sink(records);
    };
    for (let i = 0; i < 30; i++) await journal.append(makeRecords(100));
    await startShipper(journal, { sink: counting, batchRecords: 1_000 }).flush();
    expect(sizes).toEqual([1_000, 1_000, 1_000]);
  });

  test('has two batches on their way at once while more than one waits', async () => {
    const journal = await openJournal();
    const most = { underWay: 0, ever: 0 };
    const counting: PredictionSink = async (records) => {
      most.ever = Math.max(most.ever, ++most.underWay);
      await sink(records);
      most.underWay--;
    };
    const records = makeRecords(500);
    await journal.append(records);
    await startShipper(journal, { sink: counting, batchRecords: 100 }).flush();
    expect(most).toEqual({ underWay: 0, ever: 2 });
    expect(await storedIds()).toEqual(idsOf(records));
  });

  test('reads on while batches are on their way, and waits for what it reads before it tries again', async () => {
    const journal = await openJournal({ segmentBytes: 20_000 });
    const records = makeRecords(1_000);
    for (let from = 0; from < 1_000; from += 50) await journal.append(records.slice(from, from + 50));
    let attempts = 0;
    const failing: PredictionSink = async (batch) => {
      if (attempts++ % 3 === 0) throw new Error('the connection was lost');
      await sink(batch);
    };
    const shipper = startShipper(journal, { sink: failing, batchRecords: 50 });
    await flushWhenPossible(shipper, 20);
    expect(await storedIds()).toEqual(idsOf(records));
    expect(shipper.counters).toMatchObject({ shipped: 1_000, through: 1_000, batches: 20 });
  });

  test('lets what comes while a batch is shipped wait for company, and not what is more than a batch', async () => {
    const journal = await openJournal();
    const make = predictionMaker();
    await journal.append(makeRecords(400, make));
    const events: (number | 'wait')[] = [];
    await new Promise<void>((resolve) => {
      startShipper(journal, {
        batchRecords: 256,
        sink: async (records) => {
          events.push(records.length);
          if (events.length === 2) await journal.append(makeRecords(50, make));
          await sink(records);
          if (events.length === 4) resolve();
        },
        delay: async (...given) => {
          events.push('wait');
          await noDelay(...given);
        },
      });
    });
    expect(events).toEqual([256, 144, 'wait', 50]);
  });

  test('deletes the segments that are through', async () => {
    const folder = await temporaryFolder();
    const journal = await openJournal({ folder, segmentBytes: 2_000 });
    for (const record of makeRecords(40)) await journal.append([record]);
    await startShipper(journal).flush();
    await journal.append(makeRecords(1));
    const segments = (await readdir(folder)).filter((name) => name.endsWith('.journal-v1'));
    expect(segments.length).toBeLessThanOrEqual(2);
  });
});

describe('exactly once', () => {
  test.each([0, 1])(
    'of two batches of which number %i fails, the other is not offered again',
    async (failing) => {
      const folder = await temporaryFolder();
      const journal = await openJournal({ folder });
      const records = makeRecords(200);
      await journal.append(records.slice(0, 100));
      await journal.append(records.slice(100));
      const offered: string[] = [];
      const shipper = startShipper(journal, {
        batchRecords: 100,
        sink: async (batch) => {
          const number = batch[0] === records[0] ? 0 : 1;
          const isFirst = !offered.includes(`batch ${number}`);
          offered.push(`batch ${number}`);
          if (isFirst && number === failing) throw new Error('the connection was lost');
          await sink(batch);
        },
      });
      await flushWhenPossible(shipper, 2);
      expect(offered).toEqual(['batch 0', 'batch 1', `batch ${failing}`]);
      expect(await storedIds()).toEqual(idsOf(records));
      expect(shipper.counters).toMatchObject({ shipped: 200, batches: 2, failures: 1, through: 200 });
      expect(await new CursorFile(folder).load()).toEqual(journal.end);
    },
  );

  test('a crash between commit and cursor offers the batch again, and nothing is doubled', async () => {
    const folder = await temporaryFolder();
    const records = makeRecords(30);
    const first = await openJournal({ folder });
    await first.append(records);
    const committed = new Promise<void>((resolve) => {
      const shipper = startShipper(first, {
        delay: endlessDelay,
        // The rows are committed, and the process that would note so is gone.
        sink: async (batch) => {
          await sink(batch);
          resolve();
          throw new Error('killed');
        },
      });
      onTestFinished(() => shipper.stop());
    });
    await committed;
    await first.close();
    expect(await storedIds()).toHaveLength(30);

    const second = await openJournal({ folder });
    expect(await new CursorFile(folder).load()).toBeUndefined();
    const more = makeRecords(5, predictionMaker('2001-03-05T00:00:00Z'));
    await second.append(more);
    const shipper = startShipper(second);
    await shipper.flush();
    expect(await storedIds()).toEqual(idsOf([...records, ...more]));
    expect(shipper.counters.shipped).toBe(35);
  });

  test('a later start goes on where the last one came to', async () => {
    const folder = await temporaryFolder();
    const first = await openJournal({ folder });
    await first.append(makeRecords(20));
    const shipper = startShipper(first);
    await shipper.flush();
    await shipper.stop();
    await first.close();

    const second = await openJournal({ folder });
    const more = makeRecords(3, predictionMaker('2001-03-05T00:00:00Z'));
    await second.append(more);
    const offered: string[] = [];
    const watching: PredictionSink = async (records) => {
      offered.push(...records);
      await sink(records);
    };
    await startShipper(second, { sink: watching }).flush();
    expect(offered).toEqual(more);
  });

  test.each(['', 'not json', '{"segment":-1}'])(
    'a cursor file that holds %j offers everything again',
    async (text) => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'shipped.json'), text);
      const journal = await openJournal({ folder });
      const records = makeRecords(3);
      await journal.append(records);
      await startShipper(journal).flush();
      expect(await storedIds()).toEqual(idsOf(records));
    },
  );
});

describe('a database that goes away', () => {
  test('costs nothing: shipping fails, waits, and goes on when it is back', async () => {
    const { address, door } = await doorTo(server.address);
    const database = await openDatabase({ ...address, maxConnections: 2 });
    onTestFinished(() => database.close());
    const journal = await openJournal();
    const waits: number[] = [];
    let whenTried: () => void = () => undefined;
    const delay: Delay = (milliseconds, signal) => {
      waits.push(milliseconds);
      whenTried();
      return noDelay(milliseconds, signal);
    };
    const shipper = startShipper(journal, {
      sink: createPredictionSink(database),
      delay,
      lingerMilliseconds: 0,
    });
    const before = makeRecords(10, predictionMaker('2001-03-05T00:00:00Z'));
    await journal.append(before);
    await shipper.flush();

    await door.shut();
    const during = makeRecords(2_500);
    await journal.append(during);
    await expect(shipper.flush()).rejects.toThrow(ShippingError);
    await new Promise<void>((resolve) => {
      whenTried = () => shipper.counters.failures >= 4 && resolve();
    });
    expect(await storedIds()).toEqual(idsOf(before));

    await door.open();
    await flushWhenPossible(shipper, 20);
    expect(await storedIds()).toEqual(idsOf([...before, ...during]));
    expect(waits.filter((wait) => wait > 0).slice(0, 3)).toEqual([100, 200, 400]);
  });

  test('fails a flush with the reason', async () => {
    const gone = await openDatabase({ ...server.address, maxConnections: 1 });
    await gone.close();
    const journal = await openJournal();
    await journal.append(makeRecords(1));
    const problems: unknown[] = [];
    const shipper = startShipper(journal, {
      sink: createPredictionSink(gone),
      delay: endlessDelay,
      onProblem: (error) => problems.push(error),
    });
    const failure: unknown = await shipper.flush().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ShippingError);
    expect(failure).toMatchObject({ code: 'unavailable', transient: true, message: /cannot be reached/ });
    expect(problems.length).toBeGreaterThan(0);
  });
});

describe('a record that the database refuses', () => {
  test('is put aside, and the others go', async () => {
    const folder = await temporaryFolder();
    const journal = await openJournal({ folder });
    const make = predictionMaker();
    const good = makeRecords(99, make);
    const broken = encodePrediction(make({ features: { origin: 'a\0b' } }));
    await journal.append([...good.slice(0, 40), broken, ...good.slice(40)]);
    const shipper = startShipper(journal);
    await shipper.flush();
    expect(await storedIds()).toEqual(idsOf(good));
    expect(shipper.counters).toMatchObject({ shipped: 99, refused: 1, failures: 0 });
    expect(await readFile(join(folder, 'refused.jsonl'), 'utf8')).toBe(`${broken}\n`);
  });
});

describe('stopping', () => {
  test('ends a wait and refuses flushes', async () => {
    const shipper = startShipper(await openJournal(), { delay: endlessDelay });
    await shipper.stop();
    await expect(shipper.flush()).rejects.toThrow(/not running/);
  });

  test('fails the flushes that still wait', async () => {
    const journal = await openJournal();
    await journal.append(makeRecords(1));
    const shipper = startShipper(journal, {
      sink: () => new Promise((_, reject) => setImmediate(reject)),
      delay: endlessDelay,
    });
    const flushed = shipper.flush();
    await Promise.all([expect(flushed).rejects.toThrow(ShippingError), shipper.stop()]);
  });
});
