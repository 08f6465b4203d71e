import type { ColumnBatch, InferenceModel } from '@perennial/onnx';
import { compileReader, type InstanceReader } from '../instances/instance-reader.ts';
import { MicroBatcher, type BatchAnswer, type MicroBatcherOptions } from '../online/micro-batcher.ts';
import type { ChampionVersion } from './champion.ts';

export interface ServedModelOptions {
  model: string;
  champion: ChampionVersion;
  inference: InferenceModel;
  batching?: Pick<MicroBatcherOptions, 'batchRows' | 'queueRows'>;
}

/**
 * One version of a model, loaded and ready. It counts who uses it: retired, it answers those that hold it to the end, and frees the session
 * when the last has let go.
 */
export class ServedModel {
  readonly model: string;
  readonly champion: ChampionVersion;
  /** Validates instances against the version's signature. */
  readonly read: InstanceReader;
  readonly #inference: InferenceModel;
  readonly #batcher: MicroBatcher;
  readonly #released: Promise<void>;
  #release: (released: Promise<void>) => void = () => undefined;
  #users = 0;
  #retired = false;

  constructor({ model, champion, inference, batching }: ServedModelOptions) {
    this.model = model;
    this.champion = champion;
    this.read = compileReader(inference.signature);
    this.#inference = inference;
    this.#batcher = new MicroBatcher({ ...batching, model, run: (batch) => inference.run(batch) });
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  /** Computes rows together with those of other requests. */
  run(batch: ColumnBatch): Promise<BatchAnswer> {
    return this.#batcher.submit(batch);
  }

  /** Requests that it is answering. */
  get inFlight(): number {
    return this.#users;
  }

  /** Rows that wait to be computed. */
  get queuedRows(): number {
    return this.#batcher.queuedRows;
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
