import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { cutRows } from '@perennial/data';
import {
  compareOutputs,
  groupsOf,
  query,
  writeFlightModel,
  writeNumbers,
  writeNumbersModel,
} from './batch-models.ts';
import type { Chunk, Done, Task } from './batch-worker.ts';

/**
 * Batch scoring, Parquet to Parquet, against Python (pyarrow and ONNX Runtime) on the same ONNX file and the same rows, on one core and on two. Ours is what workers do of a batch: chunks scored
 * into files, by one worker process or two, and the files joined into one; without the queue, the database and the artifact store. Theirs streams one file into one. Neither counts what starting
 * its processes and loading its libraries takes. `BATCH_BENCH_RUNS` says how often each is measured.
 */
const RUNS = Number(process.env['BATCH_BENCH_RUNS'] ?? 5);
const CHUNK_ROWS = 524_288;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FLIGHTS = join(ROOT, 'node_modules/vega-datasets/data/flights-3m.parquet');
const CACHE = join(ROOT, '.cache/batch-bench');
const WORKER = fileURLToPath(new URL('./batch-worker.js', import.meta.url));
const PEER = join(ROOT, 'bench/batch-peer.py');
const PYTHON = join(CACHE, 'venv/bin/python');

interface Case {
  name: string;
  model: string;
  source: string;
  keys: string[];
  rows: number;
}

interface Measure {
  seconds: number;
  processor: number;
  megabytes: number;
}

/** Pins to the first core, where the system can. */
const onOneCore = (command: string[]) =>
  spawnSync('taskset', ['-c', '0', 'true']).status === 0 ? ['taskset', '-c', '0', ...command] : command;

function startWorker(threads: number): ChildProcess {
  const [execPath = process.execPath, ...execArgv] =
    threads === 1 ? onOneCore([process.execPath]) : [process.execPath];
  return fork(WORKER, [], { execPath, execArgv });
}

async function ask(worker: ChildProcess, task: Task): Promise<Done> {
  worker.send(task);
  const [done] = (await once(worker, 'message')) as [Done];
  return done;
}

async function ours(
  { model, source, keys, rows }: Case,
  threads: number,
): Promise<Measure & { file: string; folder: string }> {
  const folder = await mkdtemp(join(CACHE, 'ours-'));
  const workers = Array.from({ length: threads }, () => startWorker(threads));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const groups = await groupsOf(source);
  const ranges = cutRows(groups, { from: 0, rows }, CHUNK_ROWS);
  const chunks: Chunk[] = ranges.map((range, index) => ({ ...range, index }));
  const start = performance.now();
  const scored = await Promise.all(
    workers.map((worker, i) => {
      const own = chunks.filter(({ index }) => index % threads === i);
      return ask(worker, { kind: 'score', model, source, chunks: own, keys, folder });
    }),
  );
  const files = chunks.map(({ index }) => join(folder, String(index), 'scored.parquet'));
  const joined = await ask(workers[0]!, { kind: 'join', files, folder });
  const seconds = (performance.now() - start) / 1_000;
  for (const worker of workers) worker.kill();
  const all = [...scored, joined];
  return {
    file: joined.files[0]!,
    folder,
    seconds,
    processor: all.reduce((sum, { processor }) => sum + processor, 0),
    // Of the largest process.
    megabytes: Math.max(...all.map(({ megabytes }) => megabytes)),
  };
}

function theirs({ model, source, keys }: Case, threads: number): Measure & { file: string } {
  const file = join(CACHE, `theirs-${threads}.parquet`);
  // The better of 8,192 and 65,536 rows at once, on each: more are no faster.
  const command = [
    PYTHON,
    PEER,
    model,
    source,
    file,
    keys.join(','),
    String(threads),
    threads === 1 ? '8192' : '65536',
  ];
  const [executable = '', ...words] = threads === 1 ? onOneCore(command) : command;
  const { stdout, stderr, status } = spawnSync(executable, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Measure), file };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

function summary(measures: Measure[]): Measure {
  return {
    seconds: median(measures.map(({ seconds }) => seconds)),
    processor: median(measures.map(({ processor }) => processor)),
    megabytes: Math.max(...measures.map(({ megabytes }) => megabytes)),
  };
}

const spoken = ({ seconds, processor, megabytes }: Measure) =>
  `${seconds.toFixed(2)} s (${processor.toFixed(2)} s of processor), ${megabytes.toFixed(0)} MB`;

async function measure(one: Case, threads: number): Promise<void> {
  const [a, b]: [Measure[], Measure[]] = [[], []];
  for (let run = 0; run < RUNS; run += 1) {
    const own = await ours(one, threads);
    a.push(own);
    const other = theirs(one, threads);
    b.push(other);
    if (run === 0) {
      const { rows, most, others } = await compareOutputs(own.file, other.file, one.keys);
      if (rows !== one.rows || others > 0 || !(most < 1e-5))
        throw new Error(`${one.name}: ${rows} rows, up to ${most} apart, ${others} differ`);
      console.log(`${one.name}: the same ${rows} rows, answers at most ${most.toExponential(1)} apart`);
    }
    await rm(own.folder, { recursive: true });
  }
  const [own, other] = [summary(a), summary(b)];
  const limit = threads === 1 ? 1.3 : 1;
  console.log(
    `${one.name}, ${threads === 1 ? 'one core' : 'two cores'}: ours ${spoken(own)}; Python ${spoken(other)}; ${(other.seconds / own.seconds).toFixed(2)}× (at least ${limit}), by processor time ${(other.processor / own.processor).toFixed(2)}× (medians of ${RUNS})`,
  );
}

function setUpPython(): boolean {
  if (existsSync(PYTHON)) return true;
  const made = spawnSync('python3', ['-m', 'venv', join(CACHE, 'venv')]).status === 0;
  const packages = ['pyarrow', 'onnxruntime', 'numpy'];
  return made && spawnSync(PYTHON, ['-m', 'pip', 'install', '--quiet', ...packages]).status === 0;
}

const SETTINGS = `Ours: ${CHUNK_ROWS} rows a chunk, 8,192 rows a run; a worker process for each core; in each, DuckDB and ONNX Runtime with one thread. Python: pyarrow with as many threads as cores, 8,192 rows a run on one and 65,536 on two, ONNX Runtime with one thread for each run. Written: by ours, keys as they lie in the source (zstd) and answers uncompressed; by Python, all with zstd at level 1. On one core both are pinned to the same one. Seconds without what starting and loading libraries takes; MB are the most that one process had resident.`;

await mkdir(CACHE, { recursive: true });
console.log(SETTINGS);
if (!setUpPython()) {
  console.log('Python with pyarrow and onnxruntime is not here: there is no peer to measure against.');
} else {
  const flights = { name: '3 million flights', model: join(CACHE, 'flights.onnx'), source: FLIGHTS };
  const numbers = {
    name: '2 million rows of 20 numbers',
    model: join(CACHE, 'numbers.onnx'),
    source: join(CACHE, 'numbers.parquet'),
  };
  await writeFlightModel(flights.model, FLIGHTS);
  await writeNumbersModel(numbers.model);
  if (!existsSync(numbers.source)) await writeNumbers(numbers.source);
  const rowsOf = async (file: string) =>
    Number((await query(`SELECT count(*) AS rows FROM read_parquet('${file}')`))[0]?.['rows']);
  for (const threads of [1, 2]) {
    await measure({ ...flights, keys: ['date', 'origin'], rows: await rowsOf(flights.source) }, threads);
    await measure({ ...numbers, keys: ['id'], rows: await rowsOf(numbers.source) }, threads);
  }
}
