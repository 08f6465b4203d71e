import type { MessagePort } from 'node:worker_threads';
import {
  IdGenerator,
  PerennialError,
  describeError,
  type Digest,
  type Instance,
  type PredictRequest,
} from '@perennial/contract';
import { InferenceModel } from '@perennial/onnx';
import { readerOf, type InstanceReader } from '../instances/instance-reader.ts';
import { InstanceFiller } from '../instances/instance-filler.ts';
import { FrameBuffer } from '../journal/frame-buffer.ts';
import { recordPolicyOf, type RecordPolicy } from '../journal/record-policy.ts';
import { checkRequest } from '../online/check-request.ts';
import { compileOutputText, type OutputText } from '../online/output-text.ts';
import { answerStart, recordText, rowText, type AnswerFrame } from '../online/prediction-texts.ts';
import type { FromThread, LargeJob, ToThread } from './messages.ts';

/** Rows that are laid out and computed at once. */
const CHUNK_ROWS = 4_096;
/** Records that are handed over at once: the other side copies 90 KB and writes them with those of requests that wait. */
const PIECE_RECORDS = 128;
/** Pieces that may be on their way: one is written while the next is made. */
const PIECES_UNDER_WAY = 2;
/** Models that a thread holds; the one that was not used for longest goes first. */
const HELD_MODELS = 4;

export interface ThreadOptions {
  port: MessagePort;
  /** A body as a predict request. @throws PerennialError saying what is wrong with it */
  read: (body: Uint8Array) => PredictRequest;
}

/** The thread of large requests: does all of a request's work but putting it on record, one request at a time, until it is told to leave. */
export class LargeRequestThread {
  readonly #options: ThreadOptions;
  readonly #models = new Map<Digest, ThreadModel>();
  readonly #clock = { at: 0, now: () => new Date(this.#clock.at) };
  readonly #ids = new IdGenerator(this.#clock);
  #working: Promise<void> = Promise.resolve();
  #gotModel: (bytes: Uint8Array | undefined) => void = () => undefined;
  #recorded: () => void = () => undefined;

  constructor(options: ThreadOptions) {
    this.#options = options;
    options.port.on('message', (message: ToThread) => this.#take(message));
  }

  #take(message: ToThread): void {
    switch (message.kind) {
      case 'job':
        this.#working = this.#working.then(() => this.#work(message.job));
        return;
      case 'model':
        return this.#gotModel(message.bytes);
      case 'no-model':
        return this.#gotModel(undefined);
      case 'recorded':
        return this.#recorded();
      case 'forget':
        this.#working = this.#working.then(() => this.#forget(message.artifact));
        return;
      case 'leave':
        void this.#working.then(() => this.#leave());
    }
  }

  #tell(message: FromThread, transfer: ArrayBuffer[] = []): void {
    this.#options.port.postMessage(message, transfer);
  }

  async #work(job: LargeJob): Promise<void> {
    try {
      const started = performance.now();
      const model = await this.#modelOf(job.artifact);
      if (model === undefined) this.#tell({ kind: 'given-up' });
      else await this.#answer(job, model, started);
    } catch (error) {
      const transient = error instanceof PerennialError && error.transient;
      this.#tell({ kind: 'refused', error: describeError(error), transient });
    }
  }

  async #answer(job: LargeJob, model: ThreadModel, started: number): Promise<void> {
    this.#clock.at = job.at;
    const { instances = [], keys } = this.#options.read(new Uint8Array(job.body));
    const request = { instances, keys };
    checkRequest(request);
    const outputs = await model.compute(request.instances);
    const spent = Math.round((performance.now() - started) * 1_000);
    const frame: AnswerFrame = {
      model: job.model,
      version: job.version,
      latencyMicroseconds: job.elapsedMicroseconds + spent,
      at: this.#clock.now().toISOString(),
    };
    const ids = outputs.map(() => this.#ids.next());
    await this.#record({ frame, policy: recordPolicyOf(job) }, request, { ids, outputs });
    const rows = ids.map((id, row) => rowText(id, outputs[row] as string, 'live'));
    const whole = new TextEncoder().encode(`${answerStart(job.model, job.version)}${rows.join(',')}]}`);
    const { latencyMicroseconds } = frame;
    this.#tell({ kind: 'answer', text: whole, rows: rows.length, latencyMicroseconds }, [whole.buffer]);
  }

  /** Hands the records over piece by piece, each when an earlier one is on record: all at once would hold up whoever takes them. */
  async #record(
    { frame, policy }: { frame: AnswerFrame; policy: RecordPolicy },
    { instances, keys }: { instances: readonly unknown[]; keys: readonly string[] | undefined },
    { ids, outputs }: { ids: readonly string[]; outputs: readonly string[] },
  ): Promise<void> {
    let underWay = 0;
    let wake: () => void = () => undefined;
    this.#recorded = () => {
      underWay--;
      wake();
    };
    const settled = (most: number) =>
      new Promise<void>((resolve) => {
        wake = () => underWay <= most && resolve();
        wake();
      });
    for (let start = 0; start < ids.length; start += PIECE_RECORDS) {
      const records = ids.slice(start, start + PIECE_RECORDS).flatMap((id, i) => {
        const row = start + i;
        if (!policy.keeps(id)) return [];
        const features = policy.features(instances[row] as Instance);
        const output = outputs[row] as string;
        return [recordText(frame, { id, key: keys?.[row] ?? null, features, output, mode: 'live' })];
      });
      await settled(PIECES_UNDER_WAY - 1);
      underWay++;
      this.#give(records);
    }
    await settled(0);
  }

  /** As frames: who takes them only copies bytes. */
  #give(records: readonly string[]): void {
    const frames = new FrameBuffer();
    frames.add(records);
    const { bytes } = frames;
    this.#tell({ kind: 'records', frames: bytes, records: records.length }, [bytes.buffer as ArrayBuffer]);
  }

  async #modelOf(artifact: Digest): Promise<ThreadModel | undefined> {
    const held = this.#models.get(artifact);
    if (held !== undefined) {
      this.#models.delete(artifact);
      this.#models.set(artifact, held);
      return held;
    }
    const bytes = await new Promise<Uint8Array | undefined>((resolve) => {
      this.#gotModel = resolve;
      this.#tell({ kind: 'need-model' });
    });
    if (bytes === undefined) return undefined;
    const model = new ThreadModel(await InferenceModel.load(bytes));
    this.#models.set(artifact, model);
    const [oldest] = this.#models.keys();
    if (this.#models.size > HELD_MODELS && oldest !== undefined) await this.#forget(oldest);
    return model;
  }

  async #forget(artifact: Digest): Promise<void> {
    const model = this.#models.get(artifact);
    this.#models.delete(artifact);
    await model?.inference.release();
  }

  /** Ends the thread by ending what keeps it: it must never be ended from outside, which would end the whole process while a session runs. */
  async #leave(): Promise<void> {
    for (const artifact of [...this.#models.keys()]) await this.#forget(artifact);
    this.#options.port.close();
  }
}

class ThreadModel {
  readonly #read: InstanceReader;
  readonly #text: OutputText;

  constructor(readonly inference: InferenceModel) {
    this.#read = readerOf(new InstanceFiller(inference.signature));
    this.#text = compileOutputText(inference.signature.output);
  }

  /** Checks all instances, then computes them; answers each row's output as JSON. */
  async compute(instances: readonly unknown[]): Promise<string[]> {
    const batches = [];
    for (let start = 0; start < instances.length; start += CHUNK_ROWS)
      batches.push(this.#read(instances, { start, end: Math.min(start + CHUNK_ROWS, instances.length) }));
    const texts: string[] = [];
    for (const batch of batches) {
      const output = await this.inference.run(batch);
      for (let row = 0; row < batch.rows; row++) texts.push(this.#text(output, row));
    }
    return texts;
  }
}
