import {
  formatId,
  type Clock,
  type IdGenerator,
  type PredictResponse,
  type Instance,
} from '@perennial/contract';
import type { CacheUse } from '../caches/version-cache.ts';
import type { Journal } from '../journal/journal.ts';
import { RECORD_ALL, type RecordPolicy } from '../journal/record-policy.ts';
import type { ServedModel } from '../models/served-model.ts';
import type { ServedModels } from '../models/served-models.ts';
import { checkRequest } from './check-request.ts';
import { AnswerStamps, answerStart, recordText, rowText, type AnswerFrame } from './prediction-texts.ts';
import { newPhases, type PredictionPhases } from './prediction-phases.ts';
import { answerRows, type RowAnswers } from './row-answers.ts';
import { SharedAppend } from './shared-append.ts';
import type { LargeRequests } from '../workers/large-requests.ts';

export { CHUNK_ROWS } from './row-answers.ts';

/** Bytes of a body up to which it is read on the spot: JSON of this size takes a millisecond. */
const LARGE_BYTES = 128 * 1024;

/** Rows beyond which a request is handed over to a thread. */
const SMALL_ROWS = 1_024;

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

/** An answer as it is sent. */
export interface PredictionText {
  /** The JSON of a `PredictResponse`, as text or in UTF-8. */
  text: string | Uint8Array;
  version: number;
  rows: number;
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
  /** What of a model's predictions goes on record, and how surely. @default everything, as the journal has it */
  policyOf?: (model: string) => RecordPolicy;
  ids: IdGenerator;
  clock: Clock;
  observer?: PredictionObserver;
  /** Answers requests that would hold up the others. @default none: such requests are worked on in chunks */
  large?: Pick<LargeRequests, 'answer'>;
}

/** Answers prediction requests: validated, computed together with others, on record, then answered. Knows no transport. */
export class PredictionService {
  readonly #options: PredictionServiceOptions;
  readonly #stamps: AnswerStamps;
  readonly #journal: SharedAppend | null;

  constructor(options: PredictionServiceOptions) {
    this.#options = options;
    this.#stamps = new AnswerStamps(options);
    this.#journal = options.journal && new SharedAppend(options.journal);
  }

  /**
   * Predicts with the model's champion. All instances are answered by the same version, or none is.
   * @throws InvalidRequestError, InvalidInstanceError for what the caller can mend
   * @throws NotFoundError when there is no such model, NoChampionError when no version of it is in production
   * @throws OverloadedError, JournalFullError, JournalWriteError, JournalClosedError when it may succeed later
   */
  async predict(asked: PredictionRequest): Promise<PredictResponse> {
    const { ids, answers, frame } = await this.#answered(asked);
    const { model, version } = frame;
    const predictions = ids.map((id, row) => ({
      id: formatId('prediction', id),
      output: answers.output(row),
      mode: answers.mode(row),
    }));
    return { model, version, predictions };
  }

  /** As `predict`, with the answer as the JSON that is sent: its objects are not made. */
  async predictText(asked: PredictionRequest): Promise<PredictionText> {
    const { ids, answers, frame } = await this.#answered(asked);
    const { model, version } = frame;
    let text = answerStart(model, version);
    for (let row = 0; row < ids.length; row++) {
      if (row > 0) text += ',';
      text += rowText(ids[row] as string, answers.texts[row] as string, answers.mode(row));
    }
    return { text: `${text}]}`, version, rows: ids.length };
  }

  /** Whether a request of so many bytes is to be handed over as it was sent, with `predictBytes`, without being looked at. */
  takesBytes(bytes: number): boolean {
    return this.#options.large !== undefined && bytes > LARGE_BYTES;
  }

  /** Whether a request that was looked at is to be handed over after all: it has many rows, or rows of a model that is slow. */
  isLong(model: string, rows: number): boolean {
    if (this.#options.large === undefined) return false;
    return rows > SMALL_ROWS || this.#options.models.isSlow(model, rows);
  }

  /**
   * As `predictText`, of a request's body as it was sent: read, checked, computed and put into words on a thread of its own.
   * @throws also what the thread's reader of bodies throws
   */
  async predictBytes({ model, body, caller }: BytesRequest): Promise<PredictionText> {
    const { large, clock } = this.#options;
    if (large === undefined) throw new TypeError('There are no threads for large requests.');
    const started = performance.now();
    const phases = newPhases();
    return this.#held({ model, caller, phases }, async (served) => {
      const { version, artifact } = served.champion;
      const elapsedMicroseconds = Math.round((performance.now() - started) * 1_000);
      const at = clock.now().getTime();
      const record = this.#policyOf(model).spec;
      const job = { model, version, artifact, body: ownMemory(body), at, record, elapsedMicroseconds };
      const { text, rows, latencyMicroseconds } = await large.answer(job);
      phases.compute = latencyMicroseconds / 1_000;
      phases.ledBatches.push(rows);
      return { answer: { text, version, rows }, rows, latencyMicroseconds };
    });
  }

  #answered(asked: PredictionRequest): Promise<AnsweredRows> {
    const { model, request, caller, phases = newPhases() } = asked;
    const started = performance.now();
    return this.#held({ model, caller, request, phases }, (served) =>
      this.#answer(served, asked, { started, phases }),
    );
  }

  async #held<Answer>(
    { model, caller, request, phases }: Held,
    work: (served: ServedModel) => Promise<Answered<Answer>>,
  ): Promise<Answer> {
    const { models, observer } = this.#options;
    const from = caller === undefined ? {} : { caller };
    try {
      if (request !== undefined) checkRequest(request);
      const served = models.holdIfLoaded(model) ?? (await models.hold(model));
      try {
        const { answer, rows, latencyMicroseconds } = await work(served);
        const { version } = served.champion;
        observer?.predicted?.({ model, version, rows, latencyMicroseconds, phases, ...from });
        return answer;
      } finally {
        served.release();
      }
    } catch (error) {
      observer?.failed?.({ model, error, ...from });
      throw error;
    }
  }

  /** Computes a request, gives every row its id and puts it on record. */
  async #answer(
    served: ServedModel,
    { request: { instances, keys }, cache = 'use' }: PredictionRequest,
    { started, phases }: Timing,
  ): Promise<Answered<AnsweredRows>> {
    const answers = await answerRows(served, instances, { use: cache, phases });
    const computedAt = performance.now();
    const frame: AnswerFrame = {
      model: served.model,
      version: served.champion.version,
      latencyMicroseconds: Math.round((computedAt - started) * 1_000),
      at: this.#stamps.now(),
    };
    const ids = answers.texts.map(() => this.#stamps.id());
    await this.#record(frame, { ids, keys, instances, answers });
    phases.record = performance.now() - computedAt;
    const { latencyMicroseconds } = frame;
    return { answer: { ids, answers, frame }, rows: ids.length, latencyMicroseconds };
  }

  #policyOf(model: string): RecordPolicy {
    return this.#options.policyOf?.(model) ?? RECORD_ALL;
  }

  /** Puts on record what the model's policy keeps. */
  #record(frame: AnswerFrame, { ids, keys, instances, answers }: Recorded): Promise<void> | undefined {
    if (this.#journal === null) return undefined;
    const policy = this.#policyOf(frame.model);
    const records: string[] = [];
    ids.forEach((id, row) => {
      if (!policy.keeps(id)) return;
      const output = answers.texts[row] as string;
      const features = policy.features(instances[row] as Instance);
      records.push(
        recordText(frame, { id, key: keys?.[row] ?? null, features, output, mode: answers.mode(row) }),
      );
    });
    return this.#journal.append(records, policy.terms);
  }
}

interface Timing {
  started: number;
  phases: PredictionPhases;
}

/** The rows of a request, each computed, with an id, and on record. */
interface AnsweredRows {
  ids: readonly string[];
  answers: RowAnswers;
  frame: AnswerFrame;
}

interface Recorded {
  ids: readonly string[];
  keys: readonly string[] | undefined;
  instances: readonly unknown[];
  answers: RowAnswers;
}

/** A request as it was sent. */
export interface BytesRequest {
  model: string;
  /** JSON in UTF-8. Handed over: where it has a memory of its own it is empty afterwards. */
  body: Uint8Array;
  caller?: string | undefined;
}

/** Bytes in a memory that holds nothing else, to be handed to a thread. */
function ownMemory(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? buffer
    : Uint8Array.from(bytes).buffer;
}

/** Who asks for what; the request where it was looked at already. */
interface Held {
  model: string;
  caller: string | undefined;
  request?: PredictionRequest['request'];
  phases: PredictionPhases;
}

interface Answered<Answer> {
  answer: Answer;
  rows: number;
  latencyMicroseconds: number;
}
