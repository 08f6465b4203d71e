import type { ColumnBatch, InferenceModel } from '@perennial/onnx';
import { InstanceFiller } from '../instances/instance-filler.ts';
import { readerOf, type InstanceReader } from '../instances/instance-reader.ts';
import { compileOutputText, type OutputText } from '../online/output-text.ts';
import { MicroBatcher, type BatchAnswer, type MicroBatcherOptions } from '../online/micro-batcher.ts';
import type { ChampionVersion } from './champion.ts';

/** How requests are batched, beside the defaults. */
export type BatchingLimits = Partial<Omit<MicroBatcherOptions, 'model' | 'filler' | 'run'>>;

export interface ServedModelOptions {
  model: string;
  champion: ChampionVersion;
  inference: InferenceModel;
  batching?: BatchingLimits;
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
  readonly champion: ChampionVersion;
  /** Validates instances against the version's signature. */
  readonly read: InstanceReader;
  /** Writes a row of an answer as JSON. */
  readonly outputText: OutputText;
  readonly #inference: InferenceModel;
  readonly #batcher: MicroBatcher;
  readonly #released: Promise<void>;
  #release: (released: Promise<void>) => void = () => undefined;
  #slowRequests = 0;
  #users = 0;
  #retired = false;

  constructor({ model, champion, inference, batching }: ServedModelOptions) {
    this.model = model;
    this.champion = champion;
    const filler = new InstanceFiller(inference.signature);
    this.read = readerOf(filler);
    this.outputText = compileOutputText(inference.signature.output);
    this.#inference = inference;
    this.#batcher = new MicroBatcher({ ...batching, model, filler, run: (batch) => inference.run(batch) });
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  /** Computes rows together with those of other requests. */
  run(batch: ColumnBatch): Promise<BatchAnswer> {
    return this.#batcher.submit(batch);
  }

  /** Checks instances and computes them together with those of other requests. @throws InvalidInstanceError, OverloadedError */
  runInstances(instances: readonly unknown[]): Promise<BatchAnswer> {
    return this.#batcher.submitInstances(instances);
  }

  /** Whether so many rows would hold up the event loop for long; of a model that seems slow a few requests are still run on the spot, since it may only have seemed so. */
  isSlow(rows: number): boolean {
    if (rows * (this.#batcher.pace.perRow ?? 0) <= SLOW_MILLISECONDS) return false;
    return ++this.#slowRequests % STILL_RUN_EVERY !== 0;
  }

  /** Begins a use; `release` must follow. */
  hold(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    this.#freeIfUnused();
  }

  /** To be called once, when no new request will be given to it. Resolves when the session is freed. */
  retire(): Promise<void> {
    this.#retired = true;
    this.#freeIfUnused();
    return this.#released;
  }

  #freeIfUnused(): void {
    if (this.#retired && this.#users === 0) this.#release(this.#inference.release());
  }
}
