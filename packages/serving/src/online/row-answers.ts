import type { PredictionOutput } from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import type { CacheUse, KeptOutput, VersionCache } from '../caches/version-cache.ts';
import { formatOutput } from '../instances/output.ts';
import type { ServedModel } from '../models/served-model.ts';
import { nextTurn } from '../waiting/turns.ts';
import type { BatchAnswer } from './gathered-rows.ts';
import type { PredictionPhases } from './prediction-phases.ts';

/** Rows that are computed between two looks at the event loop: 1.3 ms for a small network. */
export const CHUNK_ROWS = 8_192;

/** Rows up to which a request is checked and laid out in one go together with others. */
const SMALL_ROWS = 1_024;

/** The answers to the rows of a request, in order. */
export interface RowAnswers {
  /** As JSON. */
  readonly texts: readonly string[];
  /** As an object. */
  output(row: number): PredictionOutput;
  mode(row: number): 'live' | 'cached';
}

/** How a request is to be answered, and where its times are written down. */
export interface AnswerTerms {
  use: CacheUse;
  phases: PredictionPhases;
}

/**
 * Validates all instances, then answers them, from the version's cache where it has one and the request lets it; a large request chunk by chunk, with others served in between.
 * @throws InvalidInstanceError, OverloadedError
 */
export function answerRows(
  served: ServedModel,
  instances: readonly unknown[],
  terms: AnswerTerms,
): Promise<RowAnswers> {
  const { cache } = served;
  return cache === undefined || terms.use === 'none'
    ? computeRows(served, instances, terms.phases)
    : answerFrom(cache, served, { instances, phases: terms.phases, use: terms.use });
}

interface Wanted extends AnswerTerms {
  use: Exclude<CacheUse, 'none'>;
  instances: readonly unknown[];
}

async function answerFrom(
  cache: VersionCache,
  served: ServedModel,
  { instances, use, phases }: Wanted,
): Promise<RowAnswers> {
  const kept: KeptOutput[] = [];
  for (const batch of await readAll(served, instances, phases)) {
    const answers = await cache.answer(batch, use, (missing) => computeOutputs(served, missing, phases));
    for (const one of answers) kept.push(one);
  }
  return new KeptAnswers(kept);
}

async function computeRows(
  served: ServedModel,
  instances: readonly unknown[],
  phases: PredictionPhases,
): Promise<RowAnswers> {
  const answers = new ComputedAnswers(served);
  if (instances.length <= SMALL_ROWS) {
    const started = performance.now();
    const computing = served.runInstances(instances);
    const submitted = performance.now();
    phases.validate = submitted - started;
    answers.add(tellPhases(await computing, phases, submitted), instances.length);
    return answers;
  }
  for (const batch of await readAll(served, instances, phases)) {
    const submitted = performance.now();
    answers.add(tellPhases(await served.run(batch), phases, submitted), batch.rows);
  }
  return answers;
}

async function computeOutputs(
  served: ServedModel,
  batch: ColumnBatch,
  phases: PredictionPhases,
): Promise<PredictionOutput[]> {
  const submitted = performance.now();
  const { output, offset } = tellPhases(await served.run(batch), phases, submitted);
  return Array.from({ length: batch.rows }, (_, row) => formatOutput(output, offset + row));
}

/** Adds up where the time went. */
export function tellPhases(answer: BatchAnswer, phases: PredictionPhases, submitted: number): BatchAnswer {
  const { offset, computed } = answer;
  phases.queue += computed.startedAt - submitted;
  phases.compute += computed.endedAt - computed.startedAt;
  if (offset === 0) phases.ledBatches.push(computed.rows);
  return answer;
}

async function readAll(
  served: ServedModel,
  instances: readonly unknown[],
  phases: PredictionPhases,
): Promise<ColumnBatch[]> {
  const started = performance.now();
  const batches =
    instances.length <= CHUNK_ROWS ? [served.read(instances)] : await readInChunks(served, instances);
  phases.validate = performance.now() - started;
  return batches;
}

/** Checks instances and lays them out, chunk by chunk, with others served in between. @throws InvalidInstanceError */
export async function readInChunks(
  served: ServedModel,
  instances: readonly unknown[],
): Promise<ColumnBatch[]> {
  const batches: ColumnBatch[] = [];
  for (let start = 0; start < instances.length; start += CHUNK_ROWS) {
    batches.push(served.read(instances, { start, end: Math.min(start + CHUNK_ROWS, instances.length) }));
    await nextTurn();
  }
  return batches;
}

/** Of rows that were computed for this request. */
class ComputedAnswers implements RowAnswers {
  readonly texts: string[] = [];
  readonly #served: ServedModel;
  readonly #parts: { output: OutputBatch; offset: number; rows: number }[] = [];

  constructor(served: ServedModel) {
    this.#served = served;
  }

  add({ output, offset }: BatchAnswer, rows: number): void {
    for (let row = offset; row < offset + rows; row++) this.texts.push(this.#served.outputText(output, row));
    this.#parts.push({ output, offset, rows });
  }

  output(row: number): PredictionOutput {
    let before = 0;
    for (const { output, offset, rows } of this.#parts) {
      if (row < before + rows) return formatOutput(output, offset + row - before);
      before += rows;
    }
    throw new RangeError(`There is no row ${row}.`);
  }

  mode(): 'live' {
    return 'live';
  }
}

/** Of rows some of which were computed for earlier requests. */
class KeptAnswers implements RowAnswers {
  readonly texts: readonly string[];
  readonly #kept: readonly KeptOutput[];

  constructor(kept: readonly KeptOutput[]) {
    this.texts = kept.map(({ output }) => JSON.stringify(output));
    this.#kept = kept;
  }

  output(row: number): PredictionOutput {
    return (this.#kept[row] as KeptOutput).output;
  }

  mode(row: number): 'live' | 'cached' {
    return this.#kept[row]?.cached === true ? 'cached' : 'live';
  }
}
