import {
  formatId,
  type Clock,
  type IdGenerator,
  type PredictResponse,
  type PredictionOutput,
} from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { formatOutput } from '../instances/output.ts';
import type { Journal } from '../journal/journal.ts';
import type { ServedModel } from '../models/served-model.ts';
import type { ServedModels } from '../models/served-models.ts';
import { checkRequest } from './check-request.ts';
import { AnswerStamps, answerStart, recordText, rowText, type AnswerFrame } from './prediction-texts.ts';
import { SharedAppend } from './shared-append.ts';
import type { LargeRequests } from '../workers/large-requests.ts';

/** Rows that are computed between two looks at the event loop: 1.3 ms for a small network. */
export const CHUNK_ROWS = 8_192;

/** Bytes of a body up to which it is read on the spot: JSON of this size takes a millisecond. */
const LARGE_BYTES = 128 * 1024;

/** Rows up to which a request is checked and laid out in one go together with others. */
const SMALL_ROWS = 1_024;

export interface PredictionRequest {
  model: string;
  request: { instances: readonly unknown[]; keys?: readonly string[] | undefined };
  /** Who asks, for the observer. */
  caller?: string;
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
    caller?: string;
  }): void;
  failed?(event: { model: string; error: unknown; caller?: string }): void;
}

export interface PredictionServiceOptions {
  models: ServedModels;
  /** Where predictions are put on record before they are answered; null to keep none. */
  journal: Pick<Journal, 'append'> | null;
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
    return this.#observed(asked, async (served, started) => {
      const { ids, outputs, frame } = await this.#answer(served, asked.request, started);
      const { mode, model, version, latencyMicroseconds } = frame;
      const predictions = ids.map((id, row) => ({
        id: formatId('prediction', id),
        output: outputs.formatted(row),
        mode,
      }));
      return { answer: { model, version, predictions }, rows: ids.length, latencyMicroseconds };
    });
  }

  /** As `predict`, with the answer as the JSON that is sent: its objects are not made. */
  async predictText(asked: PredictionRequest): Promise<PredictionText> {
    return this.#observed(asked, async (served, started) => {
      const { ids, outputs, frame } = await this.#answer(served, asked.request, started);
      const { mode, model, version, latencyMicroseconds } = frame;
      const rows = ids.map((id, row) => rowText(id, outputs.texts[row] as string, mode));
      const text = `${answerStart(model, version)}${rows.join(',')}]}`;
      return { answer: { text, version, rows: ids.length }, rows: ids.length, latencyMicroseconds };
    });
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
    return this.#held({ model, caller }, async (served) => {
      const { version, artifact } = served.champion;
      const elapsedMicroseconds = Math.round((performance.now() - started) * 1_000);
      const at = clock.now().getTime();
      const job = { model, version, artifact, body: ownMemory(body), at, elapsedMicroseconds };
      const { text, rows, latencyMicroseconds } = await large.answer(job);
      return { answer: { text, version, rows }, rows, latencyMicroseconds };
    });
  }

  async #observed<Answer>(
    { model, request, caller }: PredictionRequest,
    work: (served: ServedModel, started: number) => Promise<Answered<Answer>>,
  ): Promise<Answer> {
    const started = performance.now();
    return this.#held({ model, caller, request }, (served) => work(served, started));
  }

  async #held<Answer>(
    { model, caller, request }: Held,
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
        observer?.predicted?.({ model, version, rows, latencyMicroseconds, ...from });
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
  async #answer(served: ServedModel, request: PredictionRequest['request'], started: number) {
    const { instances, keys } = request;
    const outputs = new Outputs(served);
    await computeAll(served, instances, outputs);
    const frame: AnswerFrame = {
      model: served.model,
      version: served.champion.version,
      mode: 'live',
      latencyMicroseconds: Math.round((performance.now() - started) * 1_000),
      at: this.#stamps.now(),
    };
    const ids = outputs.texts.map(() => this.#stamps.id());
    if (this.#journal !== null) {
      await this.#journal.append(
        ids.map((id, row) => {
          const output = outputs.texts[row] as string;
          return recordText(frame, { id, key: keys?.[row] ?? null, features: instances[row], output });
        }),
      );
    }
    return { ids, outputs, frame };
  }
}

/** A request as it was sent. */
export interface BytesRequest {
  model: string;
  /** JSON in UTF-8. */
  body: Uint8Array;
  caller?: string | undefined;
}

/** Bytes in a memory that holds nothing else, to be handed to a thread. */
function ownMemory(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** Who asks for what; the request where it was looked at already. */
interface Held {
  model: string;
  caller: string | undefined;
  request?: PredictionRequest['request'];
}

interface Answered<Answer> {
  answer: Answer;
  rows: number;
  latencyMicroseconds: number;
}

/** What was computed for the rows of a request, in order. */
class Outputs {
  /** As JSON. */
  readonly texts: string[] = [];
  readonly #served: ServedModel;
  readonly #parts: { output: OutputBatch; offset: number; rows: number }[] = [];

  constructor(served: ServedModel) {
    this.#served = served;
  }

  add(output: OutputBatch, offset: number, rows: number): void {
    for (let row = offset; row < offset + rows; row++) this.texts.push(this.#served.outputText(output, row));
    this.#parts.push({ output, offset, rows });
  }

  /** As an object. */
  formatted(row: number): PredictionOutput {
    let before = 0;
    for (const { output, offset, rows } of this.#parts) {
      if (row < before + rows) return formatOutput(output, offset + row - before);
      before += rows;
    }
    throw new RangeError(`There is no row ${row}.`);
  }
}

/** Validates all instances, then computes them; a large request chunk by chunk, with others served in between. */
async function computeAll(
  served: ServedModel,
  instances: readonly unknown[],
  outputs: Outputs,
): Promise<void> {
  if (instances.length <= SMALL_ROWS) {
    const { output, offset } = await served.runInstances(instances);
    outputs.add(output, offset, instances.length);
    return;
  }
  for (const batch of await readInChunks(served, instances)) {
    const { output, offset } = await served.run(batch);
    outputs.add(output, offset, batch.rows);
  }
}

async function readInChunks(served: ServedModel, instances: readonly unknown[]): Promise<ColumnBatch[]> {
  const batches: ColumnBatch[] = [];
  for (let start = 0; start < instances.length; start += CHUNK_ROWS) {
    batches.push(served.read(instances, { start, end: Math.min(start + CHUNK_ROWS, instances.length) }));
    await nextTurn();
  }
  return batches;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
