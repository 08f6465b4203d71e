import {
  parseId,
  type AsyncPrediction,
  type Clock,
  type IdGenerator,
  type PredictRequest,
} from '@perennial/contract';
import { createAsyncPrediction, getAsyncPrediction, transaction, type Database } from '@perennial/storage';
import { OverloadedError } from '../errors.ts';
import { checkRequest } from '../online/check-request.ts';
import { readInChunks } from '../online/row-answers.ts';
import { requireInstances } from './given-instances.ts';
import type { ServedModels } from '../models/served-models.ts';
import { systemDelay, type Delay } from '../waiting/delay.ts';
import type { EndedPredictions } from './ended-predictions.ts';

/** So many may wait for results in one process; whoever comes then is told at once how things stand, and asks again. */
const MOST_WAITING = 10_000;

export interface AsyncPredictionDeskOptions {
  database: Database;
  models: ServedModels;
  ended: EndedPredictions;
  clock: Clock;
  ids: IdGenerator;
  /** How long a result is kept, and how long it may take to come, in milliseconds. */
  keptMilliseconds: number;
  /** Most unfinished ones of a model. */
  queueLimit: number;
  /** @default the machine's timer */
  delay?: Delay;
}

export interface AsyncPredictionRequest {
  model: string;
  request: PredictRequest;
  /** Who asks. */
  by: string;
  traceparent?: string | undefined;
}

export interface AsyncPredictionQuestion {
  /** Its edge id. */
  prediction: string;
  /** How long to wait for it to end. @default not at all */
  waitMilliseconds?: number | undefined;
  /** Ends the wait: who asks has gone, or the server stops. */
  signal?: AbortSignal;
}

/** Takes predictions that are answered later, and says what became of them. */
export class AsyncPredictionDesk {
  readonly #options: AsyncPredictionDeskOptions;

  constructor(options: AsyncPredictionDeskOptions) {
    this.#options = options;
  }

  /**
   * Takes a request: checked against the model's champion, on record with its job, answered later by the version that is the champion then.
   * @throws InvalidRequestError, InvalidInstanceError for what the caller can mend
   * @throws NotFoundError, NoChampionError as a prediction that is answered at once
   * @throws OverloadedError when too many of the model's wait already
   */
  async accept({ model, request, by, traceparent }: AsyncPredictionRequest): Promise<AsyncPrediction> {
    const { database, clock, ids, keptMilliseconds, queueLimit } = this.#options;
    await this.#check(model, request);
    const createdAt = clock.now();
    const prediction = {
      id: ids.next(),
      model,
      request,
      requestedBy: by,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + keptMilliseconds),
      traceparent,
    };
    const created = await transaction(database, (tx) => createAsyncPrediction(tx, prediction, queueLimit));
    if (created === undefined) throw new OverloadedError(`the model '${model}'`, queueLimit, 'requests');
    return created;
  }

  /**
   * How it stands with a prediction; waits for its end when asked to.
   * @throws NotFoundError, ResultExpiredError
   */
  async find({
    prediction,
    waitMilliseconds = 0,
    signal,
  }: AsyncPredictionQuestion): Promise<AsyncPrediction> {
    const { database, clock, ended } = this.#options;
    const id = parseId('asyncPrediction', prediction);
    const find = () => getAsyncPrediction(database.orm, id, clock.now());
    if (waitMilliseconds === 0 || ended.waiting >= MOST_WAITING) return find();
    return ended.watch(id, async (wake) => {
      const over = this.#deadline(waitMilliseconds, { signal, then: () => wake.call() });
      try {
        for (;;) {
          const found = await find();
          if (hasEnded(found) || over.signal.aborted) return found;
          await wake.sleep();
        }
      } finally {
        over.cancel();
      }
    });
  }

  async #check(model: string, request: PredictRequest): Promise<void> {
    const given = requireInstances(request);
    checkRequest(given);
    const served = await this.#options.models.hold(model);
    try {
      await readInChunks(served, given.instances);
    } finally {
      served.release();
    }
  }

  /** Fires when the time is over or the signal fires. */
  #deadline(
    milliseconds: number,
    { signal, then }: { signal: AbortSignal | undefined; then: () => void },
  ): { signal: AbortSignal; cancel: () => void } {
    const { delay = systemDelay } = this.#options;
    const over = new AbortController();
    const cancelled = new AbortController();
    const end = () => {
      over.abort();
      then();
    };
    const gone = signal ? AbortSignal.any([signal, cancelled.signal]) : cancelled.signal;
    void delay(milliseconds, gone).then(() => {
      if (!cancelled.signal.aborted) end();
    });
    return { signal: over.signal, cancel: () => cancelled.abort() };
  }
}

const hasEnded = ({ state }: AsyncPrediction) => state === 'completed' || state === 'failed';
