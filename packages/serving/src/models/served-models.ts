import { NotFoundError, type Digest } from '@perennial/contract';
import { InferenceModel } from '@perennial/onnx';
import { AttestationInvalidError } from '@perennial/registry/attestation';
import { digestOfJson } from '@perennial/storage';
import { NoChampionError, ServingClosedError } from '../errors.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import type { VersionVerifier } from './attested-versions.ts';
import type { ChampionTable } from './champion-table.ts';
import type { ChampionVersion } from './champion.ts';
import { ServedModel, type BatchingLimits } from './served-model.ts';

export interface ServedModelsOptions {
  table: ChampionTable;
  artifacts: ArtifactCache;
  /** Asked before any version is served; null only for a candidate that is examined before anyone can have approved it. */
  verifier: VersionVerifier | null;
  batching?: BatchingLimits;
  /** Called with the model when a new champion cannot be loaded; the version before goes on serving, and the next poll tries again. */
  onProblem?: (model: string, error: unknown) => void;
  /** Called after every swap. */
  onSwap?: (model: string, version: number) => void;
  /** Called with the artifact of a version that is not served any more. */
  onRetire?: (artifact: Digest) => void;
}

/** A champion that is not served, since it is not what was approved and signed. */
export interface Refusal {
  model: string;
  version: number;
  error: AttestationInvalidError;
}

/**
 * The champions that are loaded. A model is loaded when it is first asked for; when its champion moves, the new version is loaded beside the
 * old one, which answers until the new one can, and is freed when its last request is done. No request waits for a swap, and none is lost.
 */
export class ServedModels {
  readonly #options: ServedModelsOptions;
  readonly #serving = new Map<string, ServedModel>();
  readonly #loading = new Map<string, Promise<void>>();
  readonly #retiring = new Set<Promise<void>>();
  readonly #refused = new Map<string, Refused>();
  readonly counters = { refusals: 0 };
  readonly #unsubscribe: () => void;
  #pruning: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ServedModelsOptions) {
    this.#options = options;
    this.#unsubscribe = options.table.onLoaded(() => this.#reconcile());
  }

  /**
   * The version that serves a model now, held for the caller, who must `release` it.
   * @throws NotFoundError, NoChampionError, ServingClosedError, and what loading throws when the model is not loaded yet
   * @throws AttestationInvalidError when the champion is not what was approved and signed, and no version before it is loaded
   */
  async hold(model: string): Promise<ServedModel> {
    if (this.#closed) throw new ServingClosedError();
    const champion = await this.#options.table.findOrLoad(model);
    if (champion === undefined) throw new NotFoundError('model', model);
    if (champion === null) throw new NoChampionError(model);
    const serving = this.#serving.get(model);
    if (serving !== undefined) return serving.hold();
    await this.#load(model);
    // Asked again, since the champion may have been taken away while it was loading.
    return this.hold(model);
  }

  /** As `hold`, at once: undefined where that would have to wait or would fail. */
  holdIfLoaded(model: string): ServedModel | undefined {
    const champion = this.#closed ? undefined : this.#options.table.find(model);
    return champion ? this.#serving.get(model)?.hold() : undefined;
  }

  /** Whether so many rows of a model would hold up the event loop for long, as far as that was measured. */
  isSlow(model: string, rows: number): boolean {
    return this.#serving.get(model)?.isSlow(rows) ?? false;
  }

  /** Loads the champions of all models, one after another, so that no first request waits. Failures are reported. */
  async preload(): Promise<void> {
    for (const { model, champion } of this.#options.table.list()) {
      if (champion !== null) await this.#swapInBackground(model);
    }
  }

  /** Models that are loaded, with their versions. */
  loaded(): { model: string; version: number }[] {
    return Array.from(this.#serving.values(), ({ model, champion }) => ({
      model,
      version: champion.version,
    }));
  }

  /** Champions that are not served for want of a signature that fits them; a version before may go on serving. */
  refused(): Refusal[] {
    return Array.from(this.#refused, ([model, { champion, error }]) => ({
      model,
      version: champion.version,
      error,
    })).filter(({ model, version }) => this.#options.table.find(model)?.version === version);
  }

  /** Frees every session once its requests are done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    await Promise.allSettled(this.#loading.values());
    for (const model of [...this.#serving.keys()]) this.#drop(model);
    await Promise.all([...this.#retiring, this.#pruning]);
  }

  /** Follows the table: loads the new champions of loaded models, and drops those that have none any more. */
  #reconcile(): void {
    for (const refused of this.#refused.values()) refused.again = true;
    const swaps: Promise<void>[] = [];
    for (const [model, { champion }] of this.#serving) {
      const wanted = this.#options.table.find(model);
      if (!wanted) this.#drop(model);
      else if (!sameChampion(wanted, champion)) swaps.push(this.#swapInBackground(model));
    }
    if (swaps.length > 0) this.#pruning = Promise.all(swaps).then(() => this.#prune());
  }

  /** Loads what the table says, once at a time per model. */
  #load(model: string): Promise<void> {
    const loading = this.#loading.get(model);
    if (loading !== undefined) return loading;
    const started = this.#catchUp(model).finally(() => this.#loading.delete(model));
    this.#loading.set(model, started);
    return started;
  }

  async #swapInBackground(model: string): Promise<void> {
    await this.#load(model).catch((error: unknown) => this.#options.onProblem?.(model, error));
  }

  /** Loads and swaps until the loaded version is the table's, which may move meanwhile. */
  async #catchUp(model: string): Promise<void> {
    while (!this.#closed) {
      const champion = this.#options.table.find(model);
      if (!champion || sameChampion(champion, this.#serving.get(model)?.champion)) return;
      this.#swap(await this.#open(model, champion));
    }
  }

  async #open(model: string, champion: ChampionVersion): Promise<ServedModel> {
    const refused = this.#refused.get(model);
    if (refused && !refused.again && sameChampion(refused.champion, champion)) throw refused.error;
    try {
      const inference = await this.#openVerified(model, champion);
      this.#refused.delete(model);
      const { batching } = this.#options;
      return new ServedModel({ model, champion, inference, ...(batching && { batching }) });
    } catch (error) {
      if (error instanceof AttestationInvalidError) this.#refuse(model, champion, error);
      throw error;
    }
  }

  /** The artifact's digest is the cache's to check, against the very digest that was signed. */
  async #openVerified(model: string, champion: ChampionVersion): Promise<InferenceModel> {
    const statement = await this.#options.verifier?.verify(model, champion);
    const inference = await InferenceModel.load(await this.#options.artifacts.get(champion.artifact));
    if (statement === undefined || digestOfJson(inference.signature) === statement.predicate.signature)
      return inference;
    await inference.release();
    const problem = "its file's signature is not the one that was approved and signed";
    throw new AttestationInvalidError({ model, version: champion.version }, problem);
  }

  /** Not tried again before the table is loaded the next time: or every request for the model would ask the database anew. */
  #refuse(model: string, champion: ChampionVersion, error: AttestationInvalidError): void {
    this.counters.refusals++;
    this.#refused.set(model, { champion, error, again: false });
  }

  #swap(next: ServedModel): void {
    this.#drop(next.model);
    this.#serving.set(next.model, next);
    this.#options.onSwap?.(next.model, next.champion.version);
  }

  #drop(model: string): void {
    const serving = this.#serving.get(model);
    if (serving === undefined) return;
    this.#serving.delete(model);
    this.#options.onRetire?.(serving.champion.artifact);
    const retiring = serving.retire().finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  /** Leaves on the local disk what the table names and what is loaded. */
  async #prune(): Promise<void> {
    const champions = [...this.#options.table.list(), ...this.#serving.values()];
    const versions = champions.flatMap(({ model, champion }) =>
      champion === null ? [] : [{ model, ...champion }],
    );
    const keep = new Set(versions.map(({ artifact }) => artifact));
    await Promise.all([this.#options.artifacts.prune(keep), this.#options.verifier?.prune(versions)]).catch(
      (error: unknown) => this.#options.onProblem?.('*', error),
    );
  }
}

interface Refused {
  champion: ChampionVersion;
  error: AttestationInvalidError;
  /** Whether the next request may try once more. */
  again: boolean;
}

function sameChampion(a: ChampionVersion, b: ChampionVersion | undefined): boolean {
  return a.version === b?.version && a.artifact === b.artifact;
}
