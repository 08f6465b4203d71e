import type { PredictionOutput } from '@perennial/contract';
import type { ColumnBatch, OutputBatch, RawColumn } from '@perennial/onnx';
import type { CacheUse, VersionCache } from '../caches/version-cache.ts';
import { formatOutput, gatherOutputs } from '../instances/output.ts';
import type { ServedModel } from '../models/served-model.ts';
import { nextTurn } from '../waiting/turns.ts';
import { checkFinite, joinOutputs, sliceOutput } from './output-rows.ts';
import type { PredictionPhases } from './prediction-phases.ts';
import { CHUNK_ROWS, tellPhases } from './row-answers.ts';

/** What rows in columns are answered, and where all of the answers come from. */
export interface ColumnOutput {
  output: OutputBatch;
  mode: 'live' | 'cached';
}

/**
 * Answers rows in columns: from the version's cache where it has every one of them and the request lets it, by the model otherwise. A part of them is never taken from the cache,
 * since the answer and its record are one piece, which says of itself where it comes from.
 * @throws OverloadedError; UnusableOutputError when a number of the answer is NaN or infinite
 */
export async function answerColumns(
  served: ServedModel,
  batch: ColumnBatch,
  { use, phases }: { use: CacheUse; phases: PredictionPhases },
): Promise<ColumnOutput> {
  const { cache } = served;
  if (cache === undefined || use === 'none')
    return { output: await compute(served, batch, phases), mode: 'live' };
  const kept = use === 'use' ? await findAll(cache, batch) : undefined;
  if (kept !== undefined) return { output: gatherOutputs(kept, served.signature), mode: 'cached' };
  const output = await compute(served, batch, phases);
  await keepAll(cache, batch, output);
  return { output, mode: 'live' };
}

/** The kept answers of all rows; undefined where one is missing. */
async function findAll(cache: VersionCache, batch: ColumnBatch): Promise<PredictionOutput[] | undefined> {
  const found: PredictionOutput[] = [];
  for (const { part } of chunksOf(batch)) {
    const kept = cache.findAll(part);
    if (kept === undefined) return undefined;
    for (const output of kept) found.push(output);
    if (found.length < batch.rows) await nextTurn();
  }
  return found;
}

async function keepAll(cache: VersionCache, batch: ColumnBatch, output: OutputBatch): Promise<void> {
  for (const { part, start } of chunksOf(batch)) {
    cache.keepAll(part, (row) => formatOutput(output, start + row));
    if (start + part.rows < batch.rows) await nextTurn();
  }
}

async function compute(
  served: ServedModel,
  batch: ColumnBatch,
  phases: PredictionPhases,
): Promise<OutputBatch> {
  const outputs: OutputBatch[] = [];
  for (const { part } of chunksOf(batch)) {
    const submitted = performance.now();
    const { output, offset } = tellPhases(await served.run(part), phases, submitted);
    outputs.push(sliceOutput(output, offset, part.rows));
  }
  const output = joinOutputs(outputs);
  checkFinite(output);
  return output;
}

/** A large request in pieces, between which others are served. */
function* chunksOf(batch: ColumnBatch): Generator<{ part: ColumnBatch; start: number }> {
  for (let start = 0; start < batch.rows; start += CHUNK_ROWS)
    yield { part: sliceBatch(batch, start, Math.min(start + CHUNK_ROWS, batch.rows)), start };
}

function sliceBatch(batch: ColumnBatch, start: number, end: number): ColumnBatch {
  if (start === 0 && end === batch.rows) return batch;
  const columns = Object.create(null) as Record<string, RawColumn>;
  for (const [name, column] of Object.entries(batch.columns)) {
    columns[name] = Array.isArray(column) ? column.slice(start, end) : column.subarray(start, end);
  }
  return { rows: end - start, columns };
}
