import { systemClock, type Clock, type Signature } from '@perennial/contract';
import type { ColumnBatch, InferenceModel } from '@perennial/onnx';
import type { VersionCache } from '../caches/version-cache.ts';
import { InstanceFiller } from '../instances/instance-filler.ts';
import { readerOf, type InstanceReader } from '../instances/instance-reader.ts';
import { compileOutputText, type OutputText } from '../online/output-text.ts';
import { MicroBatcher, type BatchAnswer, type MicroBatcherOptions } from '../online/micro-batcher.ts';
import type { ServedVersion } from './champion.ts';

/** How requests are batched, beside the defaults. */
export type BatchingLimits = Partial<Omit<MicroBatcherOptions, 'model' | 'filler' | 'run'>>;

export interface ServedModelOptions {
  model: string;
  champion: ServedVersion;
  inference: InferenceModel;
  batching?: BatchingLimits;
  /** Memory that it takes, in bytes. @default 0 */
  bytes?: number;
  /** @default the machine's clock */
  clock?: Clock;
  /** The inference cache as this version sees it; undefined while its endpoint keeps no answers. @default none */
  cache?: () => VersionCache | undefined;
  /** Called whenever nobody holds it any more. */
  onIdle?: () => void;
}

/** What a request may take on the spot, in milliseconds. */
const SLOW_MILLISECONDS = 20;
/** Of the requests of a slow model, which are run on the spot all the same. */
const STILL_RUN_EVERY = 32;

/**
 * One version of a model, loaded and ready. It counts who uses it: retired, it answers those that hold it to the end, and frees the session
 * when the last has let go.
 */
export class ServedModel {
  readonly model: string;
  /** The version; the champion, unless it was asked for by its number. */
  readonly champion: ServedVersion;
  /** Validates instances against the version's signature. */
  readonly read: InstanceReader;
  /** Names of the columns that the version reads. */
  readonly columns: readonly string[];
  /** Writes a row of an answer as JSON. */
  readonly outputText: OutputText;
  readonly bytes: number;
  readonly loadedAt: Date;
  readonly #options: ServedModelOptions;
  readonly #clock: Clock;
  readonly #batcher: MicroBatcher;
  readonly #released: Promise<void>;
  #release: (released: Promise<void>) => void = () => undefined;
  #slowRequests = 0;
  #users = 0;
  #requests = 0;
  #lastUsedAt: Date | null = null;
  #retired = false;

  constructor(options: ServedModelOptions) {
    const { model, champion, inference, batching, bytes = 0, clock = systemClock } = options;
    this.model = model;
    this.champion = champion;
    this.bytes = bytes;
    const filler = new InstanceFiller(inference.signature);
    this.read = readerOf(filler);
    this.outputText = compileOutputText(inference.signature.output);
    this.columns = inference.signature.inputs.map(({ name }) => name);
    this.loadedAt = clock.now();
    this.#options = options;
    this.#clock = clock;
    this.#batcher = new MicroBatcher({ ...batching, model, filler, run: (batch) => inference.run(batch) });
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  /** What it takes and gives. */
  get signature(): Signature {
    return this.#options.inference.signature;
  }

  /** Requests that hold it now. */
  get users(): number {
    return this.#users;
  }

  /** Requests that have held it since it was loaded. */
  get requests(): number {
    return this.#requests;
  }

  /** Null until a request has held it. */
  get lastUsedAt(): Date | null {
    return this.#lastUsedAt;
  }

  /** Answers that this very version has given before; undefined where its endpoint keeps none. */
  get cache(): VersionCache | undefined {
    return this.#options.cache?.();
  }

  /** Computes rows together with those of other requests. */
  run(batch: ColumnBatch): Promise<BatchAnswer> {
    return this.#batcher.submit(batch);
  }

  /** Checks instances and computes them together with those of other requests. @throws InvalidInstanceError, OverloadedError */
  runInstances(instances: readonly unknown[]): Promise<BatchAnswer> {
    return this.#batcher.submitInstances(instances);
  }

  /** Rows that wait to be computed. */
  get queuedRows(): number {
    return this.#batcher.queuedRows;
  }

  /** Whether so many rows would hold up the event loop for long; of a model that seems slow a few requests are still run on the spot, since it may only have seemed so. */
  isSlow(rows: number): boolean {
    if (rows * (this.#batcher.pace.perRow ?? 0) <= SLOW_MILLISECONDS) return false;
    return ++this.#slowRequests % STILL_RUN_EVERY !== 0;
  }

  /** Begins a use; `release` must follow. */
  hold(): this {
    this.#requests++;
    this.#lastUsedAt = this.#clock.now();
    return this.pin();
  }

  /** As `hold`, for who keeps it without asking it anything; `release` must follow. */
  pin(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.#freeIfUnused();
    this.#options.onIdle?.();
  }

  /** To be called once, when no new request will be given to it. Resolves when the session is freed. */
  retire(): Promise<void> {
    this.#retired = true;
    this.#freeIfUnused();
    return this.#released;
  }

  #freeIfUnused(): void {
    if (this.#retired && this.#users === 0) this.#release(this.#options.inference.release());
  }
}
