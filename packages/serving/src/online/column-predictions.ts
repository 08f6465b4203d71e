import {
  InvalidRequestError,
  MAX_INSTANCES,
  type Clock,
  type IdGenerator,
  type Signature,
} from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import type { CacheUse } from '../caches/version-cache.ts';
import type { Journal } from '../journal/journal.ts';
import { RECORD_ALL, type RecordPolicy } from '../journal/record-policy.ts';
import { baseId } from '../journal/row-ids.ts';
import { newPhases, type PredictionPhases } from './prediction-phases.ts';
import { answerColumns, type ColumnOutput } from './column-answers.ts';
import type { ServedModel } from '../models/served-model.ts';
import type { ServedModels } from '../models/served-models.ts';
import type { PredictionObserver } from './prediction-service.ts';
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
  /** Whether the answer may come from the endpoint's cache. @default use */
  cache?: CacheUse;
}

/** What a request in columns is answered. */
export interface ColumnAnswer {
  model: string;
  version: number;
  signature: Signature;
  rows: number;
  output: OutputBatch;
  /** Whether the model computed the rows for this request, or all of them for earlier ones. */
  mode: 'live' | 'cached';
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
    { model, version, read, cache: use = 'use' }: ColumnPredictionRequest,
    { started, phases }: { started: number; phases: PredictionPhases },
  ) {
    const { models } = this.#options;
    const served = await (version === undefined ? models.hold(model) : models.holdVersion(model, version));
    try {
      const input = read(served.signature);
      checkRows(input);
      phases.validate = performance.now() - started;
      const answered = await answerColumns(served, input.batch, { use, phases });
      const computedAt = performance.now();
      const latencyMicroseconds = Math.round((computedAt - started) * 1_000);
      const answer = await this.#record(served, { input, ...answered, latencyMicroseconds });
      phases.record = performance.now() - computedAt;
      return { answer, latencyMicroseconds };
    } finally {
      served.release();
    }
  }

  async #record(
    { model, champion: { version }, signature }: ServedModel,
    { input: { batch, keys }, output, mode, latencyMicroseconds }: Answered,
  ): Promise<ColumnAnswer> {
    const { ids, journal, clock } = this.#options;
    const firstId = baseId(ids);
    if (journal !== null) {
      const how = { endpoint: model, mode, latencyMicroseconds, at: clock.now().toISOString() };
      const record = { model, version, ...how, firstId, signature, batch, keys, output };
      await recordColumns(journal, record, this.#options.policyOf?.(model) ?? RECORD_ALL);
    }
    return { model, version, signature, rows: batch.rows, output, mode, firstId };
  }
}

interface Answered extends ColumnOutput {
  input: ColumnInput;
  latencyMicroseconds: number;
}

function checkRows({ batch: { rows }, keys }: ColumnInput): void {
  if (rows < 1 || rows > MAX_INSTANCES)
    throw new InvalidRequestError(`A request must have 1 to ${MAX_INSTANCES} rows, not ${rows}.`);
  if (keys !== undefined && keys.length !== rows)
    throw new InvalidRequestError(`There must be as many keys as the ${rows} rows, not ${keys.length}.`);
}
