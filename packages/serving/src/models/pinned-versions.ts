import type { VersionEvidence } from './attested-versions.ts';
import type { ChampionVersion } from './champion.ts';
import type { ServedModel } from './served-model.ts';
import type { ServedModels } from './served-models.ts';
import { VersionNotServedError } from '../errors.ts';

export interface PinnedVersionsOptions {
  models: Pick<ServedModels, 'hold' | 'openVersion'>;
  /** What is on record of a version. @throws NotFoundError */
  evidence: (model: string, version: number) => Promise<VersionEvidence>;
  /** Most versions that stay loaded; the one that was not asked for the longest is freed. @default 8 */
  limit?: number;
}

/**
 * Versions that are asked for by their number, beside the champions. Each is held against what was signed of it when it is loaded, as a champion is: what was never approved is
 * not served to anyone.
 */
export class PinnedVersions {
  readonly #options: PinnedVersionsOptions;
  /** In the order they were last asked for: a Map keeps the order of insertion. */
  readonly #loaded = new Map<string, Promise<ServedModel>>();
  readonly #retiring = new Set<Promise<void>>();

  constructor(options: PinnedVersionsOptions) {
    this.#options = options;
  }

  /**
   * A version, held for the caller, who must `release` it; where it is the champion, the champion.
   * @throws NotFoundError, VersionNotServedError, AttestationInvalidError, ServingClosedError, and what loading throws
   */
  async holdVersion(model: string, version: number): Promise<ServedModel> {
    return (await this.#holdChampion(model, version)) ?? (await this.#use(model, version)).hold();
  }

  /** Frees a version once its requests are done; without a number, every version of the model. */
  unload(model: string, version?: number): void {
    for (const name of [...this.#loaded.keys()]) {
      const matches = version === undefined ? name.startsWith(`${model}@`) : name === nameOf(model, version);
      if (matches) this.#drop(name);
    }
  }

  /** The versions that are loaded, and were not asked for as champions. */
  async loaded(): Promise<{ model: string; version: number }[]> {
    const settled = await Promise.allSettled(this.#loaded.values());
    return settled.flatMap((one) =>
      one.status === 'fulfilled' ? [{ model: one.value.model, version: one.value.champion.version }] : [],
    );
  }

  /** Frees every session once its requests are done. */
  async close(): Promise<void> {
    for (const name of [...this.#loaded.keys()]) this.#drop(name);
    await Promise.all(this.#retiring);
  }

  async #holdChampion(model: string, version: number): Promise<ServedModel | undefined> {
    const champion = await this.#options.models.hold(model).catch(() => undefined);
    if (champion?.champion.version === version) return champion;
    champion?.release();
    return undefined;
  }

  #use(model: string, version: number): Promise<ServedModel> {
    const name = nameOf(model, version);
    const known = this.#loaded.get(name);
    const loading = known ?? this.#open(model, version);
    this.#loaded.delete(name);
    this.#loaded.set(name, loading);
    if (known === undefined) {
      loading.catch(() => this.#forget(name, loading));
      this.#makeRoom();
    }
    return loading;
  }

  async #open(model: string, version: number): Promise<ServedModel> {
    const { digests, envelope } = await this.#options.evidence(model, version);
    if (envelope === null) throw new VersionNotServedError(model, version);
    // Of a version that is no champion neither the end of its data nor a revision of the alias is asked for.
    const asked: ChampionVersion = {
      version,
      artifact: digests.artifact,
      asOf: '1970-01-01T00:00:00.000Z',
      revision: 0,
    };
    return this.#options.models.openVersion(model, asked);
  }

  #makeRoom(): void {
    for (const name of this.#loaded.keys()) {
      if (this.#loaded.size <= (this.#options.limit ?? 8)) return;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    const loading = this.#loaded.get(name);
    this.#loaded.delete(name);
    if (loading === undefined) return;
    // Whoever waits for it has asked before, and so takes hold of it before it is retired.
    const retiring = loading
      .then((served) => served.retire())
      .catch(() => undefined)
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  #forget(name: string, failed: Promise<ServedModel>): void {
    if (this.#loaded.get(name) === failed) this.#loaded.delete(name);
  }
}

function nameOf(model: string, version: number): string {
  return `${model}@${version}`;
}
