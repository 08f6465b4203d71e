import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { ShippingError, ShippingThreadError } from '../errors.ts';
import { CursorFile } from '../journal/cursor-file.ts';
import { Journal } from '../journal/journal.ts';
import type { JournalOptions } from '../journal/journal-options.ts';
import { encodePrediction } from '../journal/prediction-record.ts';
import { flushWhenPossible } from '../testing/flush-when-possible.ts';
import { doorTo } from '../testing/database-door.ts';
import { makeRecords, predictionMaker } from '../testing/records.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import type { FromShippingThread } from './messages.ts';
import { startShippingThread, ThreadedShipper, type ThreadedShipperOptions } from './threaded-shipper.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());
beforeEach(() => server.database.sql`truncate predictions`);

/** Ships when it is asked to, and tries again at once. */
const WHEN_ASKED = {
  lingerMilliseconds: 1_000_000,
  smallestBackoffMilliseconds: 1,
  largestBackoffMilliseconds: 5,
};

async function openJournal(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ folder: await temporaryFolder(), durability: 'process', ...options });
  onTestFinished(() => journal.close());
  return journal;
}

function startShipper(journal: Journal, options: Partial<ThreadedShipperOptions> = {}) {
  const threads: Worker[] = [];
  const problems: unknown[] = [];
  const shipper = new ThreadedShipper({
    journal,
    database: server.address,
    pace: WHEN_ASKED,
    onProblem: (error) => problems.push(error),
    startThread: (setup) => {
      const thread = startShippingThread(setup);
      threads.push(thread);
      return thread;
    },
    ...options,
  });
  onTestFinished(() => shipper.stop());
  shipper.start();
  return { shipper, threads, problems };
}

async function storedIds(): Promise<string[]> {
  const rows = await server.database.sql<{ id: string }[]>`select id from predictions order by id`;
  return rows.map((row) => row.id);
}

function idsOf(records: readonly string[]): string[] {
  return records.map((record) => (JSON.parse(record) as { id: string }).id).sort();
}

/** Does something while the thread's batch is held up in the database; the batch goes on afterwards. */
async function whileHeldUp(start: () => void, work: () => void): Promise<void> {
  await server.database.sql.begin(async (tx) => {
    await tx`lock table predictions in access exclusive mode`;
    start();
    for (let waiting = 0; waiting === 0;) {
      const [row] = await server.database.sql<{ waiting: number }[]>`
        select count(*)::integer as waiting from pg_locks where not granted and relation = 'predictions'::regclass`;
      waiting = row?.waiting ?? 0;
    }
    work();
  });
}

describe('shipping on a thread', () => {
  test('brings what is appended to the database without being asked', async () => {
    const journal = await openJournal();
    const { shipper } = startShipper(journal, { pace: { lingerMilliseconds: 0 } });
    const records: string[] = [];
    const make = predictionMaker();
    for (let round = 0; round < 3; round++) {
      const more = makeRecords(50, make);
      records.push(...more);
      await journal.append(more);
      while (shipper.waiting.records > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(await storedIds()).toEqual(idsOf(records));
    }
  });

  test('has brought everything that was appended before a flush when the flush resolves', async () => {
    const journal = await openJournal();
    const { shipper } = startShipper(journal);
    const make = predictionMaker();
    const records: string[] = [];
    for (let round = 0; round < 5; round++) {
      const more = makeRecords(700, make);
      records.push(...more);
      const appended = Promise.all([journal.append(more.slice(0, 400)), journal.append(more.slice(400))]);
      await Promise.all([shipper.flush(), shipper.flush()]);
      expect(await storedIds()).toEqual(idsOf(records));
      await appended;
    }
    expect(shipper.counters).toMatchObject({ shipped: 3_500, through: 3_500, failures: 0, refused: 0 });
    expect(await new CursorFile(journal.folder).load()).toEqual(journal.end);
  });

  test('of an empty journal is done at once', async () => {
    const { shipper } = startShipper(await openJournal());
    await shipper.flush();
    expect(shipper.counters.batches).toBe(0);
  });

  test('deletes the segments that are through', async () => {
    const journal = await openJournal({ segmentBytes: 2_000 });
    for (const record of makeRecords(40)) await journal.append([record]);
    await startShipper(journal).shipper.flush();
    const segments = (await readdir(journal.folder)).filter((name) => name.endsWith('.journal-v1'));
    expect(segments.length).toBeLessThanOrEqual(2);
    expect(journal.storedBytes).toBeLessThan(4_000);
  });

  test('puts a record aside that the database refuses, and says so', async () => {
    const journal = await openJournal();
    const make = predictionMaker();
    const broken = encodePrediction(make({ features: { origin: 'a\0b' } }));
    const good = makeRecords(9, make);
    await journal.append([...good, broken]);
    const { shipper, problems } = startShipper(journal);
    await shipper.flush();
    expect(await storedIds()).toEqual(idsOf(good));
    expect(shipper.counters).toMatchObject({ shipped: 9, refused: 1, through: 10, failures: 0 });
    expect(await readFile(join(journal.folder, 'refused.jsonl'), 'utf8')).toBe(`${broken}\n`);
    expect(problems).toMatchObject([
      { name: 'RecordsRefusedError', cause: { name: 'DatabaseError', sqlState: '22P05' } },
    ]);
  });

  test('counts the bytes that are no whole record as the journal does', async () => {
    const folder = await temporaryFolder();
    const first = await openJournal({ folder });
    await first.append(makeRecords(3));
    await first.close();
    const [segment] = (await readdir(folder)).filter((name) => name.endsWith('.journal-v1'));
    const bytes = await readFile(join(folder, segment!));
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    await writeFile(join(folder, segment!), bytes);
    const journal = await openJournal({ folder });
    const { shipper } = startShipper(journal);
    await shipper.flush();
    expect(journal.counters.damagedBytes + journal.counters.tornBytes).toBe(bytes.length);
  });
});

describe('what waits', () => {
  test('is counted until it is in the database, what an earlier process left in bytes', async () => {
    const folder = await temporaryFolder();
    const first = await openJournal({ folder });
    await first.append(makeRecords(20));
    await first.close();
    const second = await openJournal({ folder });
    await second.append(makeRecords(5, predictionMaker('2001-03-05T00:00:00Z')));
    const { shipper } = startShipper(second);
    expect(shipper.waiting).toMatchObject({ records: 5, bytes: second.storedBytes });
    await shipper.flush();
    expect(shipper.waiting).toEqual({ records: 0, bytes: 0, oldestSeconds: 0 });
    expect(shipper.counters).toMatchObject({ shipped: 25, through: 5 });
  });
});

describe('a database that goes away', () => {
  test('fails a flush with the reason, and costs nothing: shipping goes on when it is back', async () => {
    const { address, door } = await doorTo(server.address);
    const journal = await openJournal();
    const { shipper, threads, problems } = startShipper(journal, { database: address });
    const before = makeRecords(10, predictionMaker('2001-03-05T00:00:00Z'));
    await journal.append(before);
    await shipper.flush();

    await door.shut();
    const during = makeRecords(2_500);
    await journal.append(during);
    const failure: unknown = await shipper.flush().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ShippingError);
    expect(failure).toMatchObject({ code: 'unavailable', transient: true, message: /cannot be reached/ });
    expect(problems).toContainEqual(expect.objectContaining({ name: 'DatabaseUnavailableError' }));
    expect(shipper.waiting.records).toBe(2_500);

    await door.open();
    await flushWhenPossible(shipper, 50);
    expect(await storedIds()).toEqual(idsOf([...before, ...during]));
    expect(shipper.counters.failures).toBeGreaterThan(0);
    expect(threads).toHaveLength(1);
  });

  test('may be away when the thread starts', async () => {
    const { address, door } = await doorTo(server.address);
    await door.shut();
    const journal = await openJournal();
    const records = makeRecords(3);
    await journal.append(records);
    const { shipper, threads } = startShipper(journal, { database: address });
    await expect(shipper.flush()).rejects.toThrow(/cannot be reached/);
    await door.open();
    await flushWhenPossible(shipper, 50);
    expect(await storedIds()).toEqual(idsOf(records));
    expect(threads).toHaveLength(1);
  });
});

describe('a thread that ends by itself', () => {
  test('in the middle of a batch is replaced, and nothing is lost or doubled', async () => {
    const journal = await openJournal({ segmentBytes: 50_000 });
    const make = predictionMaker();
    const records = makeRecords(900, make);
    await journal.append(records.slice(0, 300));
    const { shipper, threads, problems } = startShipper(journal);
    await shipper.flush();
    await journal.append(records.slice(300));
    let flushed: Promise<unknown> = Promise.resolve();
    await whileHeldUp(
      () => {
        flushed = shipper.flush().catch((error: unknown) => error);
      },
      () => void threads[0]?.terminate(),
    );
    expect(await flushed).toBeInstanceOf(ShippingError);
    const more = makeRecords(100, make);
    await journal.append(more);
    await flushWhenPossible(shipper, 50);
    expect(await storedIds()).toEqual(idsOf([...records, ...more]));
    expect(problems).toContainEqual(expect.any(ShippingThreadError));
    expect(threads).toHaveLength(2);
    expect(shipper.counters).toMatchObject({ shipped: 1_000, through: 1_000, failures: 1 });
    expect(shipper.waiting).toEqual({ records: 0, bytes: 0, oldestSeconds: 0 });
  });

  test('between commit and word of it has its batch offered again', async () => {
    const journal = await openJournal();
    const records = makeRecords(30);
    await journal.append(records);
    const threads: Worker[] = [];
    const { shipper } = startShipper(journal, {
      startThread: (setup) => {
        const thread = startShippingThread(setup);
        if (threads.push(thread) === 1) dieUnheard(thread);
        return thread;
      },
    });
    await flushWhenPossible(shipper, 50);
    expect(await storedIds()).toEqual(idsOf(records));
    expect(threads).toHaveLength(2);
    expect(shipper.counters).toMatchObject({ shipped: 30, through: 30, failures: 1 });
    expect(shipper.waiting.records).toBe(0);
  });

  /** Ends a thread when it has shipped a batch, without its word of it being heard. */
  function dieUnheard(thread: Worker): void {
    const emit = thread.emit.bind(thread);
    let dead = false;
    thread.emit = (event: string, ...given: unknown[]) => {
      if (event !== 'message') return emit(event, ...given);
      const [message] = given as [FromShippingThread];
      if (message.kind === 'progress' && message.counters.batches > 0) {
        dead = true;
        void thread.terminate();
      }
      return dead || emit(event, ...given);
    };
  }

  test('time and again is told of, and waited longer for each time', async () => {
    const journal = await openJournal();
    await journal.append(makeRecords(1));
    const waits: number[] = [];
    const enough = new Promise<void>((resolve) => {
      const { shipper, problems } = startShipper(journal, {
        pace: {},
        delay: async (milliseconds, signal) => {
          waits.push(milliseconds);
          if (waits.length < 3) return;
          expect(problems[0]).toBeInstanceOf(ShippingThreadError);
          expect(problems[0]).toMatchObject({ cause: { message: 'a defect' } });
          resolve();
          await new Promise<void>((ended) => signal.addEventListener('abort', () => ended()));
        },
        startThread: () => new Worker(new URL('data:text/javascript,throw new Error("a defect")')),
      });
      onTestFinished(() => expect(shipper.counters.failures).toBeGreaterThanOrEqual(3));
    });
    await enough;
    expect(waits).toEqual([100, 200, 400]);
  });

  test('fails the flushes that wait, and each flush is another try', async () => {
    const journal = await openJournal();
    await journal.append(makeRecords(1));
    let starts = 0;
    const { shipper } = startShipper(journal, {
      delay: (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      startThread: () => {
        starts++;
        throw new Error('no thread to be had');
      },
    });
    await expect(shipper.flush()).rejects.toThrow(/has ended/);
    await expect(shipper.flush()).rejects.toMatchObject({ code: 'unavailable', transient: true });
    expect(starts).toBeGreaterThanOrEqual(2);
  });
});

describe('stopping', () => {
  test('finishes the batch under way, and ends the thread by its own doing', async () => {
    const journal = await openJournal();
    const records = makeRecords(20);
    await journal.append(records);
    const { shipper, threads, problems } = startShipper(journal, { pace: { lingerMilliseconds: 0 } });
    const exits: number[] = [];
    threads[0]?.on('exit', (code) => exits.push(code));
    let stopped: Promise<void> = Promise.resolve();
    await whileHeldUp(
      () => undefined,
      () => {
        stopped = shipper.stop();
      },
    );
    await stopped;
    expect(await storedIds()).toEqual(idsOf(records));
    expect(await new CursorFile(journal.folder).load()).toEqual(journal.end);
    expect(shipper.waiting.records).toBe(0);
    expect({ exits, problems }).toEqual({ exits: [0], problems: [] });
    await expect(shipper.flush()).rejects.toThrow(/not running/);
  });

  test('fails the flushes that still wait', async () => {
    const { address, door } = await doorTo(server.address);
    await door.shut();
    const journal = await openJournal();
    await journal.append(makeRecords(1));
    const { shipper } = startShipper(journal, { database: address, pace: {} });
    const flushed = shipper.flush();
    await Promise.all([expect(flushed).rejects.toThrow(ShippingError), shipper.stop()]);
  });

  test('leaves no thread where none was started yet', async () => {
    const journal = await openJournal();
    const { shipper, threads } = startShipper(journal);
    await shipper.stop();
    expect(threads).toHaveLength(1);
  });
});
