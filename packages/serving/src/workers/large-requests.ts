import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { PerennialError, type Digest, type ErrorCode, type ErrorDescription } from '@perennial/contract';
import { OverloadedError, PredictionThreadError, ServingClosedError } from '../errors.ts';
import type { EncodedFrames } from '../journal/frame-buffer.ts';
import type { AppendTerms } from '../journal/journal-options.ts';
import { recordPolicyOf } from '../journal/record-policy.ts';
import type { FromThread, LargeJob, ToThread } from './messages.ts';

export interface LargeRequestsOptions {
  /** The program of a thread: makes a `LargeRequestThread` on its `parentPort`. */
  program: URL;
  /** The bytes of an artifact, checked against its digest. */
  artifact: (digest: Digest) => Promise<Uint8Array>;
  /** Puts records on record, on those terms; resolves when they are. */
  append: (records: EncodedFrames, terms: AppendTerms) => Promise<void>;
  /** Most threads; each is started when it is first needed. @default one less than the processors that this process may use, 1 to 4 */
  threads?: number;
  /** Most bytes of requests that wait before others are refused as overload. @default 64 MiB */
  queueBytes?: number;
}

export interface LargeAnswer {
  text: Uint8Array;
  rows: number;
  latencyMicroseconds: number;
}

interface Waiting {
  job: LargeJob;
  bytes: number;
  resolve: (answer: LargeAnswer) => void;
  reject: (error: unknown) => void;
}

/** What a thread says is wrong with a request, in its words. */
class RefusedByThreadError extends PerennialError {
  readonly code: ErrorCode;
  readonly #details: Record<string, unknown>;
  readonly #transient: boolean;

  constructor({ code, message, details = {} }: ErrorDescription, transient: boolean) {
    super(message);
    this.code = code;
    this.#details = details;
    this.#transient = transient;
  }

  override get details() {
    return this.#details;
  }

  override get transient() {
    return this.#transient;
  }
}

/**
 * Answers large requests on threads of their own, so that those of a row beside them do not wait: 50,000 rows of 20 numbers take half a second of work, of which the main
 * thread does what is left, copying bytes and writing records in pieces. First in, first out; a thread answers one request at a time.
 */
export class LargeRequests {
  readonly #options: Required<LargeRequestsOptions>;
  readonly #waiting: Waiting[] = [];
  readonly #threads = new Set<Thread>();
  /** Requests taken, and those refused as too much waited. */
  readonly counters = { taken: 0, refused: 0 };
  #waitingBytes = 0;
  #closed = false;

  constructor(options: LargeRequestsOptions) {
    const threads = Math.min(4, Math.max(1, availableParallelism() - 1));
    this.#options = { threads, queueBytes: 64 * 1024 * 1024, ...options };
  }

  /**
   * Answers a request; its body is handed over and is empty afterwards.
   * @throws PerennialError with the code, message and details of what is wrong with it
   * @throws OverloadedError when too much waits, ServingClosedError, PredictionThreadError
   */
  answer(job: LargeJob): Promise<LargeAnswer> {
    if (this.#closed) return Promise.reject(new ServingClosedError());
    const { queueBytes } = this.#options;
    if (this.#waitingBytes >= queueBytes) {
      this.counters.refused++;
      return Promise.reject(new OverloadedError('large requests', queueBytes, 'bytes'));
    }
    this.counters.taken++;
    return new Promise((resolve, reject) => {
      const bytes = job.body.byteLength;
      this.#waiting.push({ job, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      this.#dispatch();
    });
  }

  /** Bytes of requests that no thread has begun. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get threads(): number {
    return this.#threads.size;
  }

  /** Lets the threads free a model that is not served any more. */
  forget(artifact: Digest): void {
    for (const thread of this.#threads) thread.tell({ kind: 'forget', artifact });
  }

  /** Takes no more, answers what it has, and lets the threads go. */
  async close(): Promise<void> {
    this.#closed = true;
    for (let busy = this.#busy(); busy.length > 0; busy = this.#busy())
      await Promise.race(busy.map((thread) => thread.idle));
    await Promise.all([...this.#threads].map((thread) => thread.leave()));
  }

  /** Threads with a request; there are some as long as requests wait. */
  #busy(): Thread[] {
    return [...this.#threads].filter((thread) => thread.busy);
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      const next = this.#waiting.shift() as Waiting;
      this.#waitingBytes -= next.bytes;
      thread.start(next);
    }
  }

  #freeThread(): Thread | undefined {
    for (const thread of this.#threads) if (!thread.busy) return thread;
    if (this.#threads.size >= this.#options.threads) return undefined;
    const thread = new Thread(this.#options, {
      free: () => this.#dispatch(),
      gone: () => {
        this.#threads.delete(thread);
        this.#dispatch();
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

class Thread {
  readonly #options: LargeRequestsOptions;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #events: { free: () => void; gone: () => void };
  #current: Waiting | undefined;
  #idle: { promise: Promise<void>; resolve: () => void } | undefined;
  /** Why the job under way cannot be put on record. */
  #failure: { error: unknown } | undefined;
  #leaving = false;

  constructor(options: LargeRequestsOptions, events: { free: () => void; gone: () => void }) {
    this.#options = options;
    this.#events = events;
    this.#worker = new Worker(options.program, { env: {}, execArgv: [] });
    this.#worker.on('message', (message: FromThread) => void this.#take(message));
    let cause: unknown;
    this.#worker.on('error', (error) => (cause = error));
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve(this.#lost(cause))));
    this.#worker.unref();
  }

  get busy(): boolean {
    return this.#current !== undefined || this.#leaving;
  }

  /** Resolves when the job under way is done. */
  get idle(): Promise<void> {
    return this.#idle?.promise ?? Promise.resolve();
  }

  tell(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  start(waiting: Waiting): void {
    let resolve = () => {};
    const promise = new Promise<void>((settle) => (resolve = settle));
    this.#idle = { promise, resolve };
    this.#current = waiting;
    this.#failure = undefined;
    // While it works the process must not end.
    this.#worker.ref();
    this.tell({ kind: 'job', job: waiting.job }, [waiting.job.body]);
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    this.#worker.ref();
    this.tell({ kind: 'leave' });
    await this.#exited;
  }

  async #take(message: FromThread): Promise<void> {
    switch (message.kind) {
      case 'need-model':
        return this.#giveModel();
      case 'records':
        return this.#record(message);
      case 'answer':
        return this.#finish(({ resolve, reject }) =>
          this.#failure ? reject(this.#failure.error) : resolve(message),
        );
      case 'refused':
        return this.#finish(({ reject }) =>
          reject(new RefusedByThreadError(message.error, message.transient)),
        );
      case 'given-up':
        return this.#finish(({ reject }) => reject(this.#failure?.error));
    }
  }

  async #giveModel(): Promise<void> {
    const artifact = this.#current?.job.artifact;
    if (artifact === undefined) return;
    try {
      this.tell({ kind: 'model', bytes: await this.#options.artifact(artifact) });
    } catch (error) {
      this.#failure = { error };
      this.tell({ kind: 'no-model' });
    }
  }

  /** What cannot be put on record is not answered; the thread goes on, since it does not know. */
  async #record({ frames, records }: { frames: Uint8Array; records: number }): Promise<void> {
    const job = this.#current?.job;
    try {
      if (this.#failure === undefined && job !== undefined)
        await this.#options.append(
          { bytes: Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength), rows: records },
          recordPolicyOf(job).terms,
        );
    } catch (error) {
      this.#failure = { error };
    }
    this.tell({ kind: 'recorded' });
  }

  #finish(settle: (waiting: Waiting) => void): void {
    const current = this.#current;
    this.#current = undefined;
    this.#worker.unref();
    this.#idle?.resolve();
    if (current !== undefined) settle(current);
    this.#events.free();
  }

  #lost(cause: unknown): void {
    this.#leaving = true;
    const current = this.#current;
    this.#current = undefined;
    current?.reject(new PredictionThreadError({ cause }));
    this.#idle?.resolve();
    this.#events.gone();
  }
}
