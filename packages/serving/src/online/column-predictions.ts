import {
  InvalidRequestError,
  MAX_INSTANCES,
  type Clock,
  type IdGenerator,
  type Signature,
} from '@perennial/contract';
import type { ColumnBatch, OutputBatch, RawColumn } from '@perennial/onnx';
import type { Journal } from '../journal/journal.ts';
import { RECORD_ALL, type RecordPolicy } from '../journal/record-policy.ts';
import { baseId } from '../journal/row-ids.ts';
import { newPhases, type PredictionPhases } from './prediction-phases.ts';
import { tellPhases } from './row-answers.ts';
import type { ServedModel } from '../models/served-model.ts';
import type { ServedModels } from '../models/served-models.ts';
import { checkFinite, joinOutputs, sliceOutput } from './output-rows.ts';
import { CHUNK_ROWS, type PredictionObserver } from './prediction-service.ts';
import { recordColumns } from './record-columns.ts';

/** Rows as the model takes them, and the entities they are about. */
export interface ColumnInput {
  batch: ColumnBatch;
  /** As many as there are rows. */
  keys?: readonly string[] | undefined;
}

export interface ColumnPredictionRequest {
  model: string;
  /** @default the champion */
  version?: number | undefined;
  /** Gives the rows, once it is known what the version takes. What it throws is what the caller is told. */
  read: (signature: Signature) => ColumnInput;
  /** Who asks, for the observer. */
  caller?: string;
}

/** What a request in columns is answered. */
export interface ColumnAnswer {
  model: string;
  version: number;
  signature: Signature;
  rows: number;
  output: OutputBatch;
  /** Id of the first row, without prefix; `rowId` gives the others. */
  firstId: string;
}

export interface ColumnPredictorOptions {
  models: Pick<ServedModels, 'hold' | 'holdVersion'>;
  /** Where predictions are put on record before they are answered; null to keep none. */
  journal: Pick<Journal, 'appendFrames'> | null;
  /** What is put on record of a model's predictions. @default everything, as the journal does by itself */
  policyOf?: (model: string) => RecordPolicy;
  ids: IdGenerator;
  clock: Clock;
  observer?: PredictionObserver;
}

/**
 * Answers requests that come in columns, as tensors do, without an object for any row: validated, computed together with others, on record, then answered. Knows no transport.
 */
export class ColumnPredictor {
  readonly #options: ColumnPredictorOptions;

  constructor(options: ColumnPredictorOptions) {
    this.#options = options;
  }

  /**
   * Predicts with the champion, or with the version that is named. All rows are answered by the same version, or none is.
   * @throws what `read` throws; InvalidRequestError for no rows or too many
   * @throws NotFoundError, NoChampionError, VersionNotApprovedError, AttestationInvalidError
   * @throws OverloadedError, JournalFullError, JournalWriteError, JournalClosedError when it may succeed later
   */
  async predict(request: ColumnPredictionRequest): Promise<ColumnAnswer> {
    const started = performance.now();
    const { model, caller } = request;
    const from = caller === undefined ? {} : { caller };
    const { observer } = this.#options;
    const phases = newPhases();
    try {
      const { answer, latencyMicroseconds } = await this.#predict(request, { started, phases });
      const { version, rows } = answer;
      observer?.predicted?.({ model, version, rows, latencyMicroseconds, phases, ...from });
      return answer;
    } catch (error) {
      observer?.failed?.({ model, error, ...from });
      throw error;
    }
  }

  async #predict(
    { model, version, read }: ColumnPredictionRequest,
    { started, phases }: { started: number; phases: PredictionPhases },
  ) {
    const { models } = this.#options;
    const served = await (version === undefined ? models.hold(model) : models.holdVersion(model, version));
    try {
      const input = read(served.signature);
      checkRows(input);
      phases.validate = performance.now() - started;
      const output = await compute(served, input.batch, phases);
      checkFinite(output);
      const computedAt = performance.now();
      const latencyMicroseconds = Math.round((computedAt - started) * 1_000);
      const answer = await this.#record(served, { input, output, latencyMicroseconds });
      phases.record = performance.now() - computedAt;
      return { answer, latencyMicroseconds };
    } finally {
      served.release();
    }
  }

  async #record(
    { model, champion: { version }, signature }: ServedModel,
    { input: { batch, keys }, output, latencyMicroseconds }: Computed,
  ): Promise<ColumnAnswer> {
    const { ids, journal, clock } = this.#options;
    const firstId = baseId(ids);
    if (journal !== null) {
      const how = {
        endpoint: model,
        mode: 'live',
        latencyMicroseconds,
        at: clock.now().toISOString(),
      } as const;
      const record = { model, version, ...how, firstId, signature, batch, keys, output };
      await recordColumns(journal, record, this.#options.policyOf?.(model) ?? RECORD_ALL);
    }
    return { model, version, signature, rows: batch.rows, output, firstId };
  }
}

interface Computed {
  input: ColumnInput;
  output: OutputBatch;
  latencyMicroseconds: number;
}

function checkRows({ batch: { rows }, keys }: ColumnInput): void {
  if (rows < 1 || rows > MAX_INSTANCES)
    throw new InvalidRequestError(`A request must have 1 to ${MAX_INSTANCES} rows, not ${rows}.`);
  if (keys !== undefined && keys.length !== rows)
    throw new InvalidRequestError(`There must be as many keys as the ${rows} rows, not ${keys.length}.`);
}

/** A large request chunk by chunk, with others served in between. */
async function compute(
  served: ServedModel,
  batch: ColumnBatch,
  phases: PredictionPhases,
): Promise<OutputBatch> {
  const outputs: OutputBatch[] = [];
  for (let start = 0; start < batch.rows; start += CHUNK_ROWS) {
    const part = sliceBatch(batch, start, Math.min(start + CHUNK_ROWS, batch.rows));
    const submitted = performance.now();
    const { output, offset } = tellPhases(await served.run(part), phases, submitted);
    outputs.push(sliceOutput(output, offset, part.rows));
  }
  return joinOutputs(outputs);
}

function sliceBatch(batch: ColumnBatch, start: number, end: number): ColumnBatch {
  if (start === 0 && end === batch.rows) return batch;
  const columns = Object.create(null) as Record<string, RawColumn>;
  for (const [name, column] of Object.entries(batch.columns)) {
    columns[name] = Array.isArray(column) ? column.slice(start, end) : column.subarray(start, end);
  }
  return { rows: end - start, columns };
}
