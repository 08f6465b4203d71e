import { NotFoundError, type Clock, type Digest } from '@perennial/contract';
import { AttestationInvalidError } from '@perennial/registry/attestation';
import type { InferenceCaches } from '../caches/inference-caches.ts';
import { NoChampionError, ServingClosedError } from '../errors.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import type { VersionVerifier } from './attested-versions.ts';
import type { ChampionTable } from './champion-table.ts';
import { sameVersion, type ChampionVersion } from './champion.ts';
import { KeptFiles } from './kept-files.ts';
import { Loads, type LoadCause, type LoadProgress, type LoadTarget, type LoadsOptions } from './loads.ts';
import { Refusals, type Refusal } from './refusals.ts';
import { describeLoad, describeResident, type Resident } from './resident.ts';
import { Residents, type RoomRequest } from './residents.ts';
import type { BatchingLimits, ServedModel } from './served-model.ts';
import { VersionLoader } from './version-loader.ts';

export interface ServedModelsOptions extends LoadsOptions {
  table: ChampionTable;
  artifacts: ArtifactCache;
  /** Asked before any version is served; null only for a candidate that is examined before anyone can have approved it. */
  verifier: VersionVerifier | null;
  batching?: BatchingLimits;
  /** Most memory that loaded models take together, in bytes: see {@link Residents}. @default 1 GiB */
  memoryBytes?: number;
  /** Where answers are kept, for the endpoints that want that. @default nowhere */
  caches?: InferenceCaches;
  /** @default the machine's clock */
  clock?: Clock;
  /** Called with the model when a new champion cannot be loaded; the version before goes on serving, and the next poll tries again. */
  onProblem?: (model: string, error: unknown) => void;
  /** Called whenever a champion was loaded, also for the first request. */
  onSwap?: (model: string, version: number, about: { replaced: number | null }) => void;
  /** Called with the artifact of a version that is not loaded any more. */
  onRetire?: (artifact: Digest) => void;
}

const DEFAULT_MEMORY_BYTES = 1024 ** 3;

/**
 * The versions that are loaded. A model is loaded when it is first asked for, and let go when others need its memory more; when its champion moves, the new version is
 * loaded beside the old one, which answers until the new one can, and is freed when its last request is done. No request waits for a swap, and none
 * is lost.
 */
export class ServedModels {
  readonly #options: ServedModelsOptions;
  /** Champions by model. */
  readonly #serving = new Map<string, ServedModel>();
  /** Other versions, asked for by number, by `model@version`. */
  readonly #versions = new Map<string, ServedModel>();
  readonly #leaving = new Map<ServedModel, Promise<void>>();
  readonly #refusals = new Refusals();
  readonly #residents: Residents;
  readonly #loader: VersionLoader;
  readonly #loads: Loads;
  readonly #files: KeptFiles;
  readonly #unsubscribe: () => void;
  #loaded = 0;
  #evicted = 0;
  /** Whether loading beforehand has come to the end of the memory. */
  #full = false;
  #closed = false;

  constructor(options: ServedModelsOptions) {
    const { table, artifacts, verifier, memoryBytes = DEFAULT_MEMORY_BYTES } = options;
    this.#options = options;
    this.#residents = new Residents({ memoryBytes, evict: (served) => this.#evict(served) });
    this.#loader = new VersionLoader({ ...options, residents: this.#residents });
    this.#loads = new Loads(options, () => this.#residents.wake());
    this.#files = new KeptFiles({
      artifacts,
      verifier,
      wanted: () => [...table.list(), ...this.#residents.list()],
      onProblem: (error) => this.#problem('*', error),
    });
    this.#unsubscribe = table.onLoaded((changed) => this.#reconcile(changed));
  }

  /**
   * The version that serves a model now, held for the caller, who must `release` it. Where it is not loaded, the caller waits until it is.
   * @throws NotFoundError, NoChampionError, ServingClosedError, and what loading throws when the model is not loaded yet
   * @throws OverloadedError, ColdStartLateError when too many wait for models to be loaded, or it takes too long
   * @throws AttestationInvalidError when the champion is not what was approved and signed, and no version before it is loaded
   */
  async hold(model: string): Promise<ServedModel> {
    for (;;) {
      const served = this.holdIfLoaded(model);
      if (served !== undefined) return served;
      await this.#requireChampion(model);
      // Asked again afterwards, since the champion may have been taken away while it was loading.
      await this.#loads.forRequest({ model, version: null }, (progress) => this.#catchUp(model, progress));
    }
  }

  /** As `hold`, when that needs no waiting; undefined otherwise. */
  holdIfLoaded(model: string): ServedModel | undefined {
    if (this.#closed) return undefined;
    const served = this.#serving.get(model);
    return served && this.#use(served);
  }

  /** Whether so many rows of a model would hold up the event loop for long, as far as that was measured. */
  isSlow(model: string, rows: number): boolean {
    return this.#serving.get(model)?.isSlow(rows) ?? false;
  }

  /**
   * A version by its number, held for the caller, who must `release` it: the champion, or any other that was approved.
   * @throws NotFoundError when there is no such model or version, VersionNotApprovedError, and what `hold` throws
   */
  async holdVersion(model: string, version: number): Promise<ServedModel> {
    if (this.#options.table.find(model)?.version === version) {
      const served = await this.hold(model);
      if (served.champion.version === version) return served;
      served.release();
    }
    for (;;) {
      const served = this.#versionIfLoaded(model, version);
      if (served !== undefined) return this.#use(served);
      if (this.#closed) throw new ServingClosedError();
      if ((await this.#options.table.findOrLoad(model)) === undefined)
        throw new NotFoundError('model', model);
      await this.#loads.forRequest({ model, version }, (progress) =>
        this.#loadVersion(model, version, progress),
      );
    }
  }

  /**
   * Loads the champions of all models, one after another, as many as there is memory for, so that no first request waits. Failures are reported.
   * @param stop when it fires, what is not loaded yet is left to its first request
   */
  async preload(stop?: AbortSignal): Promise<void> {
    for (const { model, champion } of this.#options.table.list()) {
      if (champion === null || this.#serving.has(model)) continue;
      if (stop?.aborted || this.#full || this.#closed) return;
      await this.#loadInBackground(model, 'beforehand');
    }
  }

  /**
   * Lets go of whatever is loaded of a model, or of one of its versions; resolves when its requests are done and its memory is free. What is in production stays so: the next
   * request loads it again.
   * @param version @default all
   */
  async unload(model: string, version?: number): Promise<void> {
    const meant = (served: ServedModel) =>
      served.model === model && (version ?? served.champion.version) === served.champion.version;
    await Promise.all(
      this.#residents
        .list()
        .filter(meant)
        .map((served) => this.#drop(served)),
    );
  }

  /** Most memory that loaded models take together, in bytes. */
  get memoryBytes(): number {
    return this.#options.memoryBytes ?? DEFAULT_MEMORY_BYTES;
  }

  /** Models that are loaded, with the versions that serve them. */
  loaded(): { model: string; version: number }[] {
    return Array.from(this.#serving.values(), ({ model, champion }) => ({
      model,
      version: champion.version,
    }));
  }

  /** Whatever takes memory now: most recently used first, then what is being loaded, and what is held although it is not served any more. */
  residents(): Resident[] {
    const versionOf = ({ model, version }: LoadTarget) => version ?? this.#options.table.find(model)?.version;
    return [
      ...this.#residents.list().reverse().map(describeResident('resident')),
      ...this.#loads.list().map((target) => describeLoad(target.model, versionOf(target) ?? 0)),
      ...Array.from(this.#leaving.keys(), describeResident('leaving')),
    ];
  }

  /** How busy each loaded version is. */
  activity(): { model: string; version: number; inFlight: number; queuedRows: number }[] {
    return Array.from(this.#serving.values(), ({ model, champion: { version }, users, queuedRows }) => ({
      model,
      version,
      inFlight: users,
      queuedRows,
    }));
  }

  /** Counts since the start, and what is so now. */
  get counters() {
    return {
      refusals: this.#refusals.count,
      loads: this.#loaded,
      evictions: this.#evicted,
      coldRequests: this.#loads.counters.held,
      coldRefused: this.#loads.counters.refused,
      coldWaiting: this.#loads.waiting,
      residents: this.#residents.size,
      residentBytes: this.#residents.bytes,
    };
  }

  /** Champions that are not served for want of a signature that fits them; a version before may go on serving. */
  refused(): Refusal[] {
    return this.#refusals
      .list()
      .filter(({ model, version }) => this.#options.table.find(model)?.version === version);
  }

  /** Frees every session once its requests are done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#residents.wake();
    await this.#loads.settled();
    for (const served of this.#residents.list()) void this.#drop(served);
    await Promise.all([...this.#leaving.values(), this.#files.settled()]);
  }

  #use(served: ServedModel): ServedModel {
    this.#residents.touch(served);
    return served.hold();
  }

  #versionIfLoaded(model: string, version: number): ServedModel | undefined {
    const serving = this.#serving.get(model);
    return serving?.champion.version === version ? serving : this.#versions.get(nameOf(model, version));
  }

  async #requireChampion(model: string): Promise<void> {
    if (this.#closed) throw new ServingClosedError();
    const champion = await this.#options.table.findOrLoad(model);
    if (champion === undefined) throw new NotFoundError('model', model);
    if (champion === null) throw new NoChampionError(model);
  }

  /**
   * Follows the table: loads the new champions of loaded models, and drops those that have none any more.
   * @param changed the models that it loaded anew; null for all
   */
  #reconcile(changed: readonly string[] | null): void {
    this.#refusals.allowAgain(changed);
    for (const model of changed ?? this.#serving.keys()) this.#follow(model);
    for (const served of changed === null ? this.#versions.values() : [])
      if (this.#options.table.find(served.model) === undefined) void this.#drop(served);
    this.#files.pruneIfDue();
  }

  #follow(model: string): void {
    const served = this.#serving.get(model);
    if (served === undefined) return;
    const wanted = this.#options.table.find(model);
    if (!wanted) void this.#drop(served);
    else if (!sameVersion(wanted, served.champion))
      void this.#loadInBackground(model, 'swap').then(() => this.#files.outdated());
  }

  async #loadInBackground(model: string, cause: Exclude<LoadCause, 'request'>): Promise<void> {
    const work = (progress: LoadProgress) => this.#catchUp(model, progress);
    await this.#loads
      .inBackground({ model, version: null }, work, cause)
      .catch((error: unknown) => this.#problem(model, error));
  }

  /** Loads and swaps until the loaded version is the table's, which may move meanwhile. */
  async #catchUp(model: string, progress: LoadProgress): Promise<void> {
    for (;;) {
      this.#check(progress);
      const champion = this.#options.table.find(model);
      const serving = this.#serving.get(model);
      if (!champion || sameVersion(champion, serving?.champion)) return;
      // Pinned, or the new version could take its memory while requests still need the old one.
      serving?.pin();
      const next = await this.#openChampion(model, champion, progress).finally(() => serving?.release());
      if (next === undefined) return;
      this.#swap(next);
    }
  }

  async #openChampion(
    model: string,
    champion: ChampionVersion,
    progress: LoadProgress,
  ): Promise<ServedModel | undefined> {
    const asVersion = this.#versions.get(nameOf(model, champion.version));
    if (asVersion && sameVersion(champion, asVersion.champion)) return asVersion;
    this.#refusals.check(model, champion);
    try {
      const next = await this.#loader.loadChampion(model, champion, this.#request(model, progress));
      this.#refusals.clear(model);
      if (next === undefined) this.#full = true;
      else this.#loaded++;
      return next;
    } catch (error) {
      if (error instanceof AttestationInvalidError) this.#refusals.add(model, champion, error);
      throw error;
    }
  }

  async #loadVersion(model: string, version: number, progress: LoadProgress): Promise<void> {
    this.#check(progress);
    if (this.#versionIfLoaded(model, version) !== undefined) return;
    const check = () => this.#check(progress);
    const served = await this.#loader.loadVersion(model, version, { room: 'wait', check });
    if (served === undefined) return;
    this.#loaded++;
    this.#versions.set(nameOf(model, version), served);
    this.#admit(served);
  }

  #request(model: string, progress: LoadProgress): { room: RoomRequest['room']; check: () => void } {
    const check = () => this.#check(progress);
    if (this.#serving.has(model)) return { room: 'at-once', check };
    return { room: progress.isAskedFor() ? 'wait' : 'free-only', check };
  }

  /** @throws ServingClosedError, ColdStartLateError when there is no sense in going on */
  #check(progress: LoadProgress): void {
    if (this.#closed) throw new ServingClosedError();
    progress.check();
  }

  #swap(next: ServedModel): void {
    const { model, champion } = next;
    const before = this.#serving.get(model);
    if (before !== undefined) void this.#drop(before);
    this.#versions.delete(nameOf(model, champion.version));
    this.#serving.set(model, next);
    this.#admit(next);
    this.#options.onSwap?.(model, champion.version, { replaced: before?.champion.version ?? null });
    // The champion may have been taken away while its version was loading.
    if (!this.#options.table.find(model)) void this.#drop(next);
  }

  #admit(served: ServedModel): void {
    this.#residents.add(served);
    // Until those that have waited for it hold it: or the next load might evict it before its first request.
    served.pin();
    setImmediate(() => served.release());
  }

  #evict(served: ServedModel): Promise<void> {
    this.#evicted++;
    return this.#drop(served);
  }

  /** Gives it to no new request, and frees it when the last is done. */
  #drop(served: ServedModel): Promise<void> {
    const { model, champion } = served;
    if (this.#serving.get(model) === served) this.#serving.delete(model);
    const name = nameOf(model, champion.version);
    if (this.#versions.get(name) === served) this.#versions.delete(name);
    this.#residents.remove(served);
    this.#options.onRetire?.(champion.artifact);
    const left = served.retire().finally(() => {
      this.#leaving.delete(served);
      this.#residents.adjust(-served.bytes);
    });
    this.#leaving.set(served, left);
    return left;
  }

  #problem(model: string, error: unknown): void {
    this.#options.onProblem?.(model, error);
  }
}

function nameOf(model: string, version: number): string {
  return `${model}@${version}`;
}
