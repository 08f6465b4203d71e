import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import type { Signature } from '@perennial/contract';
import type { CodedBatch, OutputBatch } from '@perennial/onnx';
import { Engine, rethrowQueryError } from '../engine.ts';
import { BatchInputInvalidError } from '../errors.ts';
import { columnsOfFile, type StoredColumns } from '../parquet/columns-of-file.ts';
import { writeBeside } from '../parquet/write-beside.ts';
import { identifier } from '../sql.ts';
import { inputItems, type InputItem } from './batch-columns.ts';
import type { RowRange } from './cut-rows.ts';
import { translatingFileFaults } from './batch-faults.ts';
import { describe, parquetRelation } from './examine-parquet.ts';
import { InputColumns } from './input-columns.ts';
import { AnswerMemory } from './answer-memory.ts';
import { OutputTable } from './output-table.ts';
import { copyToParquet } from './parquet-copy.ts';

export interface ScoringJob {
  /** A Parquet file on the local disk, and the name it was asked for by. */
  source: { path: string; file: string };
  /** The first row that is scored, and how many are. */
  from: number;
  rows: number;
  signature: Signature;
  /** Columns that are passed through. */
  keys: readonly string[];
  /** Answers some rows. What it is given is only good until it has answered. */
  score: (batch: CodedBatch) => Promise<OutputBatch>;
  /** The file to make, in an existing folder that nothing else is in. */
  target: string;
  /** What the made file says of itself. */
  properties: Readonly<Record<string, string>>;
  /** Threads of DuckDB. @default 1 */
  threads?: number;
  signal: AbortSignal;
}

/** Rows that are scored at once: 1.3 ms of a small network, for which the event loop waits. */
const BATCH_ROWS = 8_192;

/** Row groups of fewer rows than this on average are packed anew. */
const LEAST_ROWS = 30_720;

/**
 * Scores rows of a Parquet file into another: the columns that are passed through, as they are, and the model's answers beside them, in the order of the rows. DuckDB reads the next rows
 * on a thread of its own while the model answers. The columns passed through are copied as they lie in the file, or joined to the answers by DuckDB where that cannot be; they never come into
 * JavaScript as values.
 *
 * @throws BatchInputInvalidError when the file cannot be read as the signature says
 */
export async function scoreRows(job: ScoringJob): Promise<void> {
  const { source, signal, target } = job;
  const engine = await Engine.open({
    threads: job.threads ?? 1,
    memoryLimit: '256MB',
    folder: dirname(target),
    readable: [dirname(source.path)],
  });
  const stop = () => engine.interrupt();
  signal.addEventListener('abort', stop);
  try {
    await translatingFileFaults(source, () => score(job, engine));
  } finally {
    signal.removeEventListener('abort', stop);
    engine.close();
  }
}

interface Scoring {
  job: ScoringJob;
  engine: Engine;
}

async function score(job: ScoringJob, engine: Engine): Promise<void> {
  const { source, signature, keys, target, properties } = job;
  const relation = parquetRelation(source.path);
  const found = await describe(engine.main, relation);
  const items = inputItems(source.file, found, { inputs: signature.inputs, keys });
  const stored = await columnsAsStored(job);
  const answers = stored === undefined ? undefined : AnswerMemory.of(signature.output, job.rows);
  if (stored === undefined || answers === undefined) return throughTable(items, { job, engine });
  await fill(answers, items, { job, engine });
  const { columns } = answers;
  await writeBeside({ source: source.path, stored, columns, target, properties, signal: job.signal });
}

/** The columns that are passed through, where they can be copied as they lie in the file: without their being unpacked and packed again. */
async function columnsAsStored({ source, keys, from, rows }: ScoringJob): Promise<StoredColumns | undefined> {
  const stored = await columnsOfFile(source.path, { names: keys, from, rows });
  const isSmall =
    stored !== undefined && stored.groups.length > 1 && rows < stored.groups.length * LEAST_ROWS;
  return isSmall ? undefined : stored;
}

/** Passes the columns through by way of DuckDB. */
async function throughTable(items: readonly InputItem[], scoring: Scoring): Promise<void> {
  const { engine, job } = scoring;
  const { source, signature, keys, target, properties } = job;
  const outputs = await OutputTable.open(engine.main, signature.output);
  await fill(outputs, items, scoring);
  outputs.close();
  const answers = OutputTable.rows(signature.output);
  const names = keys.map(identifier).join(', ');
  const passed = `(SELECT ${names} FROM ${parquetRelation(source.path)} WHERE ${within(job)})`;
  const query =
    keys.length === 0 ? `FROM ${answers}` : `SELECT * FROM ${passed} AS k POSITIONAL JOIN ${answers} AS p`;
  await engine.main.run(copyToParquet(query, { target, properties, compression: 'small' }));
}

function within({ from, rows }: RowRange): string {
  return `file_row_number >= ${from} AND file_row_number < ${from + rows}`;
}

/** @throws BatchInputInvalidError where other than the job's number of rows come */
async function fill(
  outputs: { append: (output: OutputBatch) => void },
  items: readonly InputItem[],
  { job, engine }: Scoring,
): Promise<void> {
  const columns = new InputColumns(items, BATCH_ROWS);
  let scored = 0;
  const answer = async () => {
    const batch = columns.take();
    outputs.append(await job.score(batch));
    scored += batch.rows;
    // Whatever else this process does gets its turn.
    await setImmediate();
    job.signal.throwIfAborted();
  };
  const select = `SELECT ${items.map(({ sql }) => sql).join(', ')} FROM ${parquetRelation(job.source.path)}`;
  const result = await (await engine.connect()).stream(`${select} WHERE ${within(job)}`);
  for await (const chunk of readAhead(result)) {
    for (let row = 0; row < chunk.rowCount;) {
      row += columns.append(chunk, row);
      if (columns.isFull) await answer();
    }
  }
  if (columns.rows > 0) await answer();
  if (scored === job.rows) return;
  throw new BatchInputInvalidError(job.source.file, `${scored} rows were there where ${job.rows} should be`);
}

/** Chunk by chunk, the next read while one is worked on: rows that are collected first cost a copy on their way in and another on their way out. */
async function* readAhead(result: DuckDBResult): AsyncGenerator<DuckDBDataChunk, void, undefined> {
  const read = () => {
    const chunk = result.fetchChunk();
    // It may fail while the rows before are worked on, when nobody waits for it yet.
    chunk.catch(() => undefined);
    return chunk;
  };
  let next = read();
  for (;;) {
    const chunk = await next.catch(rethrowQueryError);
    if (chunk === null || chunk.rowCount === 0) return;
    next = read();
    try {
      yield chunk;
    } finally {
      // A reader that leaves early must not leave a query behind: its engine could not be closed.
      await next.catch(() => undefined);
    }
  }
}
