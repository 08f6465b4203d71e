import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdGenerator, systemClock } from '@perennial/contract';
import {
  Journal,
  ThreadedShipper,
  baseId,
  encodeColumnPredictions,
  encodePrediction,
} from '@perennial/serving';
import { migrate, openDatabase, startEmbeddedPostgres, type DatabaseAddress } from '@perennial/storage';

/**
 * The journal and its way to PostgreSQL, on predictions of 20 numbers: how many rows a second one shipper brings there alone, from records of rows and of
 * columns; whether it keeps up while rows are put on record at a steady pace; and what a request of 1,000 rows costs to put into columns.
 *
 * `node bench/dist/journal.js [rows per second of the steady pace]`
 */
const COLUMNS = 20;
const ROWS = 240_000;
const LIMIT = 60_000;
const PACE = Number(process.argv[2] ?? 15_000);
const PACED_SECONDS = 12;
const TICK_MILLISECONDS = 5;

const ids = new IdGenerator(systemClock);
const cents = () => Math.round(Math.random() * 100_000) / 100;
const same = {
  model: 'bench',
  version: 3,
  endpoint: 'bench',
  mode: 'live',
  latencyMicroseconds: 100,
} as const;

function rowRecord(): string {
  const features = Object.fromEntries(Array.from({ length: COLUMNS }, (_, i) => [`feature_${i}`, cents()]));
  return encodePrediction({
    ...same,
    id: ids.next(),
    at: systemClock.now().toISOString(),
    key: null,
    features,
    output: { probability: Math.random(), decision: true },
  });
}

function columns(rows: number) {
  return Array.from({ length: COLUMNS }, (_, i) => ({
    name: `feature_${i}`,
    type: 'number' as const,
    values: Float64Array.from({ length: rows }, cents),
  }));
}

function columnRecords(rows: number, features = columns(rows)) {
  const probability = new Float32Array(rows).fill(0.5);
  const output = { kind: 'binary', probability, decision: new Uint8Array(rows) } as const;
  const at = systemClock.now().toISOString();
  return encodeColumnPredictions({ ...same, rows, ids: baseId(ids), at, features, output });
}

interface Spent {
  seconds: number;
  /** Of this process's processor time, all threads. */
  microseconds: number;
  /** Microseconds in which the main thread was not waiting. */
  busy: number;
}

async function processorTime(work: () => Promise<void>): Promise<Spent> {
  const before = process.cpuUsage();
  const idle = performance.eventLoopUtilization();
  const started = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  const busy = performance.eventLoopUtilization(idle).active * 1_000;
  return { seconds: (performance.now() - started) / 1_000, microseconds: user + system, busy };
}

async function alone(database: DatabaseAddress, folder: string, name: string): Promise<void> {
  const journal = await Journal.open({ folder: join(folder, name), durability: 'process' });
  // Nothing is shipped before it is asked for: the start of the thread is not measured, nor is writing the journal.
  const shipper = new ThreadedShipper({ journal, database, pace: { lingerMilliseconds: 1_000_000 } });
  shipper.start();
  await shipper.flush();
  for (let done = 0; done < ROWS; done += 1_000) {
    if (name === 'columns') await journal.appendFrames(columnRecords(1_000));
    else await journal.append(Array.from({ length: 1_000 }, rowRecord));
  }
  const { seconds, microseconds, busy } = await processorTime(() => shipper.flush());
  await shipper.stop();
  await journal.close();
  const rate = ROWS / seconds;
  console.log(
    `shipping alone, records of ${name}: ${ROWS} rows in ${seconds.toFixed(2)} s, ${rate.toFixed(0)} rows/s, ${(rate / LIMIT).toFixed(2)} of the limit of ${LIMIT}; ${(microseconds / ROWS).toFixed(2)} µs of this process a row, ${(busy / ROWS).toFixed(2)} of them on the main thread`,
  );
}

/** Puts rows on record one by one, so many in each tick, as requests would. */
async function append(journal: Journal, seconds: number): Promise<number> {
  const started = performance.now();
  let appended = 0;
  for (;;) {
    const elapsed = performance.now() - started;
    if (elapsed > seconds * 1_000) return appended;
    const due = Math.floor((elapsed / 1_000) * PACE) - appended;
    await Promise.all(Array.from({ length: due }, () => journal.append([rowRecord()])));
    appended += due;
    await sleep(TICK_MILLISECONDS);
  }
}

async function paced(database: DatabaseAddress, folder: string): Promise<void> {
  const journal = await Journal.open({ folder: join(folder, 'paced') });
  const shipper = new ThreadedShipper({ journal, database });
  shipper.start();
  const backlog: number[] = [];
  const watch = setInterval(() => backlog.push(shipper.waiting.records), 250);
  const appended = await append(journal, PACED_SECONDS);
  clearInterval(watch);
  const largest = (part: number[]) => Math.max(...part);
  const half = Math.floor(backlog.length / 2);
  const [first, second] = [largest(backlog.slice(0, half)), largest(backlog.slice(half))];
  await shipper.stop();
  await journal.close();
  console.log(
    `while ${(appended / PACED_SECONDS).toFixed(0)} rows/s are put on record (asked for ${PACE}), on the disk each: largest backlog ${first} rows in the first half, ${second} in the second, ${(second / PACE).toFixed(2)} s of it; ${(appended / journal.counters.syncs).toFixed(0)} rows a sync`,
  );
}

async function encoding(): Promise<void> {
  const features = columns(1_000);
  const repeats = 2_000;
  const encode = async () => {
    for (let repeat = 0; repeat < repeats; repeat++) columnRecords(1_000, features);
  };
  await encode();
  const { microseconds } = await processorTime(encode);
  console.log(
    `1,000 rows of ${COLUMNS} numbers into columns: ${(microseconds / repeats).toFixed(0)} µs of processor time`,
  );
}

const folder = await mkdtemp(join(tmpdir(), 'perennial-journal-'));
await chmod(folder, 0o711);
const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres') });
try {
  const address = { connection: server.connection };
  const database = await openDatabase(address);
  await migrate(database);
  await database.close();
  await encoding();
  for (const name of ['rows', 'columns']) await alone(address, folder, name);
  await paced(address, folder);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
