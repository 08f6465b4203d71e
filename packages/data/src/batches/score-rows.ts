import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import type { Signature } from '@perennial/contract';
import type { CodedBatch, OutputBatch } from '@perennial/onnx';
import { Engine, rethrowQueryError } from '../engine.ts';
import { BatchInputInvalidError } from '../errors.ts';
import { identifier } from '../sql.ts';
import { inputItems, type InputItem } from './batch-columns.ts';
import type { RowRange } from './cut-rows.ts';
import { translatingFileFaults } from './batch-faults.ts';
import { describe, parquetRelation } from './examine-parquet.ts';
import { InputColumns } from './input-columns.ts';
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

/**
 * Scores rows of a Parquet file into another: the columns that are passed through, as they are, and the model's answers beside them, in the order of the rows. DuckDB reads the next rows
 * on a thread of its own while the model answers, and joins the columns passed through to the answers as it writes, so that they never come into JavaScript.
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

async function score(job: ScoringJob, engine: Engine): Promise<void> {
  const { source, signature, keys, target, properties } = job;
  const relation = parquetRelation(source.path);
  const found = await describe(engine.main, relation);
  const items = inputItems(source.file, found, { inputs: signature.inputs, keys });
  const outputs = await OutputTable.open(engine.main, signature.output);
  const scored = await fill(outputs, items, { job, engine });
  outputs.close();
  if (scored !== job.rows)
    throw new BatchInputInvalidError(source.file, `${scored} rows were there where ${job.rows} should be`);
  const answers = OutputTable.rows(signature.output);
  const passed = `(SELECT ${keys.map(identifier).join(', ')} FROM ${relation} WHERE ${within(job)})`;
  const query =
    keys.length === 0 ? `FROM ${answers}` : `SELECT * FROM ${passed} AS k POSITIONAL JOIN ${answers} AS p`;
  await engine.main.run(copyToParquet(query, { target, properties, compression: 'small' }));
}

function within({ from, rows }: RowRange): string {
  return `file_row_number >= ${from} AND file_row_number < ${from + rows}`;
}

async function fill(
  outputs: OutputTable,
  items: readonly InputItem[],
  { job, engine }: { job: ScoringJob; engine: Engine },
): Promise<number> {
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
  return scored;
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
