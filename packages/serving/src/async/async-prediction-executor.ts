import {
  DEFAULT_SERVING,
  PerennialError,
  describeError,
  formatId,
  parseId,
  type AsyncPrediction,
  type Clock,
  type IdGenerator,
  type Instance,
  type JobPayload,
  type PredictRequest,
  type PredictResponse,
  type PredictionOutput,
  type ServingSpec,
} from '@perennial/contract';
import {
  beginAsyncPrediction,
  endAsyncPrediction,
  ensurePredictionPartitions,
  insertPredictionRecords,
  publishEvent,
  transaction,
  type AsyncPredictionOutcome,
  type Database,
  type JobContext,
  type Transaction,
} from '@perennial/storage';
import { encodePrediction } from '../journal/prediction-record.ts';
import { recordPolicyOf } from '../journal/record-policy.ts';
import type { ServedModels } from '../models/served-models.ts';
import { requireInstances, type GivenRequest } from './given-instances.ts';
import { newPhases } from '../online/prediction-phases.ts';
import { answerRows } from '../online/row-answers.ts';

/** An event with more answers than this leaves them out, to be fetched: a receiver must not have to take megabytes. */
const MOST_ANSWERS_IN_EVENT = 1_000;

export interface AsyncPredictionExecutorOptions {
  database: Database;
  models: ServedModels;
  /** How a model is served: what of its predictions goes on record. @default the default way */
  servingOf?: (model: string) => ServingSpec;
  clock: Clock;
  ids: IdGenerator;
  /** How long a result is kept, in milliseconds. */
  keptMilliseconds: number;
  log: (line: { prediction: string; model: string; message: string; error: unknown }) => void;
}

type Outcome = AsyncPredictionOutcome & { records: readonly string[] };

/**
 * Answers asynchronous predictions with the champion of the moment. A job may be done twice, also at the same time; the result is written once: result, records in the
 * prediction log, announcement and webhook deliveries are one transaction, which begins by ending the prediction and does nothing where somebody has ended it before. The
 * records do not go through a journal: that is there for answers that must not wait for the database, and this one is in the database.
 */
export class AsyncPredictionExecutor {
  readonly #options: AsyncPredictionExecutorOptions;
  /** The last days that partitions of the log were made for. */
  #days: string[] = [];

  constructor(options: AsyncPredictionExecutorOptions) {
    this.#options = options;
  }

  /** @throws what may pass by itself (the database away, too much to do), so that the queue tries again */
  async execute(
    { prediction, traceparent }: JobPayload<'prediction.execute'>,
    job: Pick<JobContext, 'signal' | 'lastAttempt'>,
  ): Promise<void> {
    const { database, clock } = this.#options;
    const id = parseId('asyncPrediction', prediction);
    const asked = await beginAsyncPrediction(database.orm, id, clock.now());
    if (asked === undefined) return;
    const outcome = await this.#answer(asked).catch((error: unknown) => {
      const passing = error instanceof PerennialError && error.transient;
      if (job.signal.aborted || (passing && !job.lastAttempt)) throw error;
      return this.#failure({ prediction, model: asked.model, error });
    });
    await this.#end(id, outcome, traceparent);
  }

  #failure(failed: { prediction: string; model: string; error: unknown }): Outcome {
    const error = describeError(failed.error);
    if (error.code === 'internal')
      this.#options.log({ ...failed, message: 'asynchronous prediction failed' });
    return { state: 'failed', error, records: [] };
  }

  async #answer({ model, request: asked }: { model: string; request: PredictRequest }): Promise<Outcome> {
    const request = requireInstances(asked);
    const served = await this.#options.models.hold(model);
    try {
      const started = performance.now();
      const answers = await answerRows(served, request.instances, { use: 'none', phases: newPhases() });
      const outputs = request.instances.map((_, row) => answers.output(row));
      const latencyMicroseconds = Math.round((performance.now() - started) * 1_000);
      return this.#complete({
        model,
        version: served.champion.version,
        request,
        outputs,
        latencyMicroseconds,
      });
    } finally {
      served.release();
    }
  }

  #complete({ model, version, request, outputs, latencyMicroseconds }: Computed): Outcome {
    const { ids, clock, servingOf } = this.#options;
    const mode = 'async';
    const at = clock.now().toISOString();
    const same = { model, version, endpoint: model, mode, latencyMicroseconds, at } as const;
    const policy = recordPolicyOf(servingOf?.(model) ?? DEFAULT_SERVING);
    const predictions: PredictResponse['predictions'] = [];
    const records: string[] = [];
    outputs.forEach((output, row) => {
      const id = ids.next();
      predictions.push({ id: formatId('prediction', id), output, mode });
      if (!policy.keeps(id)) return;
      const features = policy.features(request.instances[row] as Instance);
      records.push(encodePrediction({ id, ...same, key: request.keys?.[row] ?? null, features, output }));
    });
    return { state: 'completed', response: { model, version, predictions }, records };
  }

  async #end(id: string, { records, ...outcome }: Outcome, traceparent: string | undefined): Promise<void> {
    const { database, clock, keptMilliseconds } = this.#options;
    const endedAt = clock.now();
    const expiresAt = new Date(endedAt.getTime() + keptMilliseconds);
    if (records.length > 0) await this.#ensurePartitions(endedAt);
    await transaction(database, async (tx) => {
      const ended = await endAsyncPrediction(tx, id, { ...outcome, endedAt, expiresAt });
      if (ended === undefined) return;
      await insertPredictionRecords(tx, records);
      await this.#announce(tx, ended, { at: endedAt, traceparent });
    });
  }

  /** The ids hold the time that they were made at, a moment ago: it may have been another day. */
  async #ensurePartitions(endedAt: Date): Promise<void> {
    const days = [endedAt, new Date(endedAt.getTime() - 60_000)].map((at) => at.toISOString().slice(0, 10));
    if (days.every((day) => this.#days.includes(day))) return;
    await ensurePredictionPartitions(this.#options.database.sql, days);
    this.#days = days;
  }

  async #announce(
    tx: Transaction,
    ended: AsyncPrediction,
    { at, traceparent }: { at: Date; traceparent: string | undefined },
  ): Promise<void> {
    const { ids } = this.#options;
    const large = (ended.response?.predictions.length ?? 0) > MOST_ANSWERS_IN_EVENT;
    await publishEvent(tx, {
      type: ended.state === 'completed' ? 'prediction.completed' : 'prediction.failed',
      model: ended.model,
      data: large ? { ...ended, response: null } : ended,
      at,
      ids,
      traceparent,
    });
  }
}

interface Computed {
  model: string;
  version: number;
  request: GivenRequest;
  outputs: readonly PredictionOutput[];
  latencyMicroseconds: number;
}
