import {
  InvalidRequestError,
  MAX_INSTANCES,
  formatId,
  type Clock,
  type IdGenerator,
  type Instance,
  type PredictResponse,
  type PredictionOutput,
} from '@perennial/contract';
import type { ColumnBatch } from '@perennial/onnx';
import type { CacheUse, KeptOutput } from '../caches/version-cache.ts';
import { isStorableText } from '../instances/column-reader.ts';
import { formatOutput } from '../instances/output.ts';
import type { Journal } from '../journal/journal.ts';
import { encodePrediction } from '../journal/prediction-record.ts';
import { RECORD_ALL, type RecordPolicy } from '../journal/record-policy.ts';
import { newPhases, type PredictionPhases } from './prediction-phases.ts';
import type { ServedModel } from '../models/served-model.ts';
import type { ServedModels } from '../models/served-models.ts';
import { nextTurn } from '../waiting/turns.ts';

/** Rows that are computed between two looks at the event loop: 1.3 ms for a small network. */
export const CHUNK_ROWS = 8_192;

export interface PredictionRequest {
  model: string;
  request: { instances: readonly unknown[]; keys?: readonly string[] | undefined };
  /** Who asks, for the observer. */
  caller?: string;
  /** Whether answers may come from the endpoint's cache. @default use */
  cache?: CacheUse;
  /** Filled in, for who wants to know where the time went. */
  phases?: PredictionPhases | undefined;
}

/** What metrics are made of. Called on the way of every request: it must be quick and must not throw. */
export interface PredictionObserver {
  predicted?(event: {
    model: string;
    version: number;
    rows: number;
    latencyMicroseconds: number;
    phases: PredictionPhases;
    caller?: string;
  }): void;
  failed?(event: { model: string; error: unknown; caller?: string }): void;
}

export interface PredictionServiceOptions {
  models: ServedModels;
  /** Where predictions are put on record before they are answered; null to keep none. */
  journal: Pick<Journal, 'append'> | null;
  /** What is put on record of a model's predictions. @default everything, as the journal does by itself */
  policyOf?: (model: string) => RecordPolicy;
  ids: IdGenerator;
  clock: Clock;
  observer?: PredictionObserver;
}

type Answer = PredictResponse['predictions'][number];

/** Answers prediction requests: validated, computed together with others, on record, then answered. Knows no transport. */
export class PredictionService {
  readonly #options: PredictionServiceOptions;

  constructor(options: PredictionServiceOptions) {
    this.#options = options;
  }

  /**
   * Predicts with the model's champion. All instances are answered by the same version, or none is.
   * @throws InvalidRequestError, InvalidInstanceError for what the caller can mend
   * @throws NotFoundError when there is no such model, NoChampionError when no version of it is in production
   * @throws OverloadedError, JournalFullError, JournalWriteError, JournalClosedError when it may succeed later
   */
  async predict(asked: PredictionRequest): Promise<PredictResponse> {
    const started = performance.now();
    const { model, caller, phases = newPhases() } = asked;
    const from = caller === undefined ? {} : { caller };
    try {
      const { response, latencyMicroseconds } = await this.#predict(asked, { started, phases });
      const { version } = response;
      this.#options.observer?.predicted?.({
        model,
        version,
        rows: response.predictions.length,
        latencyMicroseconds,
        phases,
        ...from,
      });
      return response;
    } catch (error) {
      this.#options.observer?.failed?.({ model, error, ...from });
      throw error;
    }
  }

  async #predict(
    { model, request, cache = 'use' }: PredictionRequest,
    { started, phases }: { started: number; phases: PredictionPhases },
  ) {
    checkRequest(request);
    const served = await this.#options.models.hold(model);
    try {
      const outputs = await computeAll(served, request.instances, { use: cache, phases });
      const computedAt = performance.now();
      const latencyMicroseconds = Math.round((computedAt - started) * 1_000);
      const predictions = await this.#record(served, { request, outputs, latencyMicroseconds });
      phases.record = performance.now() - computedAt;
      return { response: { model, version: served.champion.version, predictions }, latencyMicroseconds };
    } finally {
      served.release();
    }
  }

  /** Gives every answer its id and puts it on record. */
  async #record(served: ServedModel, { request, outputs, latencyMicroseconds }: Computed): Promise<Answer[]> {
    const { ids, journal, clock } = this.#options;
    const { model, champion } = served;
    const policy = this.#options.policyOf?.(model) ?? RECORD_ALL;
    const same = {
      model,
      version: champion.version,
      endpoint: model,
      latencyMicroseconds,
      at: clock.now().toISOString(),
    } as const;
    const answers: Answer[] = [];
    const records: string[] = [];
    outputs.forEach(({ output, cached }, row) => {
      const mode = cached ? 'cached' : 'live';
      const id = ids.next();
      answers.push({ id: formatId('prediction', id), output, mode });
      const key = request.keys?.[row] ?? null;
      if (journal === null || !policy.keeps(id)) return;
      const features = policy.features(request.instances[row] as Instance);
      records.push(encodePrediction({ id, ...same, mode, key, features, output }));
    });
    await journal?.append(records, policy.terms);
    return answers;
  }
}

interface Computed {
  request: PredictionRequest['request'];
  outputs: readonly KeptOutput[];
  latencyMicroseconds: number;
}

/** @throws InvalidRequestError for what can be told without knowing the model */
export function checkRequest({ instances, keys }: PredictionRequest['request']): void {
  if (instances.length === 0 || instances.length > MAX_INSTANCES) {
    const message = `must hold 1 to ${MAX_INSTANCES} objects, not ${instances.length}`;
    throw new InvalidRequestError(`instances ${message}.`, [{ path: 'instances', message }]);
  }
  if (keys === undefined) return;
  if (keys.length !== instances.length) {
    const message = `must be as many as the ${instances.length} instances, not ${keys.length}`;
    throw new InvalidRequestError(`keys ${message}.`, [{ path: 'keys', message }]);
  }
  const unstorable = keys.findIndex((key) => !isStorableText(key));
  if (unstorable !== -1) {
    const path = `keys[${unstorable}]`;
    const message = 'must be without NUL characters and unpaired surrogates';
    throw new InvalidRequestError(`${path} ${message}.`, [{ path, message }]);
  }
}

/** Validates all instances, then answers them; a large request chunk by chunk, with others served in between. */
export async function computeAll(
  served: ServedModel,
  instances: readonly unknown[],
  { use, phases }: { use: CacheUse; phases: PredictionPhases },
): Promise<KeptOutput[]> {
  const started = performance.now();
  const batches =
    instances.length <= CHUNK_ROWS ? [served.read(instances)] : await readInChunks(served, instances);
  phases.validate = performance.now() - started;
  const outputs: KeptOutput[] = [];
  for (const batch of batches)
    for (const one of await answerBatch(served, batch, { use, phases })) outputs.push(one);
  return outputs;
}

async function answerBatch(
  served: ServedModel,
  batch: ColumnBatch,
  { use, phases }: { use: CacheUse; phases: PredictionPhases },
): Promise<KeptOutput[]> {
  const { cache } = served;
  if (cache !== undefined && use !== 'none')
    return cache.answer(batch, use, (missing) => compute(served, missing, phases));
  return (await compute(served, batch, phases)).map((output) => ({ output, cached: false }));
}

async function compute(
  served: ServedModel,
  batch: ColumnBatch,
  phases: PredictionPhases,
): Promise<PredictionOutput[]> {
  const submitted = performance.now();
  const { output, offset, computed } = await served.run(batch);
  phases.queue += computed.startedAt - submitted;
  phases.compute += computed.endedAt - computed.startedAt;
  if (offset === 0) phases.ledBatches.push(computed.rows);
  return Array.from({ length: batch.rows }, (_, row) => formatOutput(output, offset + row));
}

async function readInChunks(served: ServedModel, instances: readonly unknown[]): Promise<ColumnBatch[]> {
  const batches: ColumnBatch[] = [];
  for (let start = 0; start < instances.length; start += CHUNK_ROWS) {
    batches.push(served.read(instances, { start, end: Math.min(start + CHUNK_ROWS, instances.length) }));
    await nextTurn();
  }
  return batches;
}
