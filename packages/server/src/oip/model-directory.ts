import { NotFoundError, PerennialError, type Signature } from '@perennial/contract';
import {
  NoChampionError,
  type ChampionTable,
  type ChampionVersion,
  type Resident,
  type ServedModel,
  type ServedModels,
} from '@perennial/serving';
import { PLATFORM_VERSION } from '../platform/version.ts';
import type { Datatype } from './datatypes.ts';
import { describeOutputs, type OutputDescription } from './infer-response.ts';

export interface DirectoryOptions {
  champions: ChampionTable;
  models: ServedModels;
  /** The versions of a model that were approved and signed, newest first. */
  approved: (model: string) => Promise<number[]>;
}

/** A model, or one of its versions. */
export interface Target {
  model: string;
  version?: number | undefined;
}

export const SERVER_METADATA = {
  name: 'perennial',
  version: PLATFORM_VERSION,
  extensions: ['binary_tensor_data', 'model_repository'],
};

export interface ModelMetadata {
  name: string;
  /** Those that may be asked for by their number. */
  versions: string[];
  platform: string;
  inputs: { name: string; datatype: Datatype; shape: number[] }[];
  outputs: OutputDescription[];
}

export interface IndexEntry {
  name: string;
  version?: string;
  state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  reason: string;
}

/** Triton's names of what a version that takes memory is. */
const RESIDENT_STATES: Record<Resident['state'], IndexEntry['state']> = {
  loading: 'LOADING',
  resident: 'READY',
  leaving: 'UNLOADING',
};

/** The type that each column is asked for in; others are taken too. */
const DATATYPE_OF: Record<Signature['inputs'][number]['type'], Datatype> = {
  number: 'FP64',
  boolean: 'BOOL',
  text: 'BYTES',
  timestamp: 'INT64',
};

/** What the protocol tells of models, and the loading and unloading of them. */
export class ModelDirectory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** @throws what holding the model or version throws */
  async describe({ model, version }: Target): Promise<ModelMetadata> {
    const { signature, champion } = await this.#load({ model, version });
    const versions = await this.#versions(model, champion.version);
    return {
      name: model,
      versions: versions.map(String),
      platform: 'onnx_onnxv1',
      inputs: signature.inputs.map(({ name, type }) => ({
        name,
        datatype: DATATYPE_OF[type],
        shape: [-1, 1],
      })),
      outputs: describeOutputs(signature),
    };
  }

  /**
   * Why a request would not be answered; undefined where it would. A champion is not loaded for that, since whoever watches asks for every model again and again; a version is, if it
   * is not loaded, since nothing else says whether it may be served.
   * @throws NotFoundError
   */
  async whyNotReady({ model, version }: Target): Promise<string | undefined> {
    const champion = await this.#championOf(model);
    if (version !== undefined && version !== champion?.version) return this.#whyNotLoaded({ model, version });
    if (champion === null) return new NoChampionError(model).message;
    return this.#refusals().get(model);
  }

  /** Loads the champion or a version, so that no request waits for it. @throws what holding it throws */
  async load(target: Target): Promise<void> {
    await this.#load(target);
  }

  /** Frees what is loaded of a model, or one version. What is in production stays so. @throws NotFoundError */
  async unload({ model, version }: Target): Promise<void> {
    await this.#championOf(model);
    this.#options.models.unload(model, version);
  }

  /** The models of the caller, with the versions of each that are loaded. */
  index({ only, ready }: { only: readonly string[] | null; ready: boolean }): IndexEntry[] {
    const { champions, models } = this.#options;
    const loaded = models.residents().map(({ model, version, state }): IndexEntry => ({
      name: model,
      version: String(version),
      state: RESIDENT_STATES[state],
      reason: '',
    }));
    const there = new Set(loaded.map(({ name, version }) => `${name}@${version}`));
    const refusals = this.#refusals();
    const others = champions
      .list()
      .filter(({ model, champion }) => !there.has(`${model}@${champion?.version}`))
      .map(({ model, champion }): IndexEntry => ({
        name: model,
        ...(champion === null ? {} : { version: String(champion.version) }),
        state: 'UNAVAILABLE',
        reason:
          champion === null
            ? new NoChampionError(model).message
            : (refusals.get(model) ?? 'It is not loaded: the next request loads it.'),
      }));
    return [...loaded, ...others]
      .filter(({ name }) => only === null || only.includes(name))
      .filter(({ state }) => !ready || state === 'READY');
  }

  /** @throws NotFoundError */
  async #championOf(model: string): Promise<ChampionVersion | null> {
    const champion = await this.#options.champions.findOrLoad(model);
    if (champion === undefined) throw new NotFoundError('model', model);
    return champion;
  }

  /** Why each champion is refused that is. */
  #refusals(): Map<string, string> {
    return new Map(this.#options.models.refused().map(({ model, error }) => [model, error.message]));
  }

  /** @throws NotFoundError */
  async #whyNotLoaded(target: Target): Promise<string | undefined> {
    try {
      await this.#load(target);
      return undefined;
    } catch (error) {
      if (!(error instanceof PerennialError) || error instanceof NotFoundError) throw error;
      return error.message;
    }
  }

  /** A version that is loaded when this resolves, and not held. */
  async #load({ model, version }: Target): Promise<ServedModel> {
    const { models } = this.#options;
    const served = await (version === undefined ? models.hold(model) : models.holdVersion(model, version));
    served.release();
    return served;
  }

  /** While the database is away, the one that is known to be served. */
  async #versions(model: string, known: number): Promise<number[]> {
    const approved = await this.#options.approved(model).catch((error: unknown): number[] => {
      if (error instanceof PerennialError && error.transient) return [];
      throw error;
    });
    return approved.includes(known) ? approved : [known, ...approved];
  }
}
