import { NotFoundError, PerennialError, type Signature } from '@perennial/contract';
import {
  NoChampionError,
  type ChampionTable,
  type PinnedVersions,
  type ServedModel,
  type ServedModels,
} from '@perennial/serving';
import { PLATFORM_VERSION } from '../platform/version.ts';
import type { Datatype } from './datatypes.ts';
import { describeOutputs, type OutputDescription } from './infer-response.ts';

export interface DirectoryOptions {
  champions: ChampionTable;
  models: ServedModels;
  pinned: PinnedVersions;
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
  state: 'READY' | 'UNAVAILABLE';
  reason: string;
}

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
   * Why a request would not be answered; undefined where it would. It is loaded for that, if it is not.
   * @throws NotFoundError
   */
  async whyNotReady(target: Target): Promise<string | undefined> {
    try {
      await this.#load(target);
      return undefined;
    } catch (error) {
      if (!(error instanceof PerennialError) || error instanceof NotFoundError) throw error;
      return error.message;
    }
  }

  /** Loads the champion or a version, so that no request waits for it. @throws what holding it throws */
  async load(target: Target): Promise<void> {
    await this.#load(target);
  }

  /** Frees what is loaded of a model, or one version. What is in production stays so. @throws NotFoundError */
  async unload({ model, version }: Target): Promise<void> {
    const { champions, models, pinned } = this.#options;
    const champion = await champions.findOrLoad(model);
    if (champion === undefined) throw new NotFoundError('model', model);
    if (version === undefined || version === champion?.version) models.unload(model);
    pinned.unload(model, version);
  }

  /** The models of the caller, with the versions of each that are loaded. */
  async index({ only, ready }: { only: readonly string[] | null; ready: boolean }): Promise<IndexEntry[]> {
    const { champions, models, pinned } = this.#options;
    const loaded = new Map(models.loaded().map(({ model, version }) => [model, version]));
    const refused = new Map(models.refused().map(({ model, error }) => [model, error.message]));
    const ofChampions = champions.list().map(({ model, champion }): IndexEntry => {
      const version = loaded.get(model) ?? champion?.version;
      const named = { name: model, ...(version === undefined ? {} : { version: String(version) }) };
      if (loaded.has(model)) return { ...named, state: 'READY', reason: refused.get(model) ?? '' };
      const reason =
        champion === null
          ? new NoChampionError(model).message
          : (refused.get(model) ?? 'It is not loaded: the next request loads it.');
      return { ...named, state: 'UNAVAILABLE', reason };
    });
    const ofVersions = (await pinned.loaded())
      .filter(({ model, version }) => loaded.get(model) !== version)
      .map(({ model, version }): IndexEntry => ({
        name: model,
        version: String(version),
        state: 'READY',
        reason: '',
      }));
    return [...ofChampions, ...ofVersions]
      .filter(({ name }) => only === null || only.includes(name))
      .filter(({ state }) => !ready || state === 'READY');
  }

  /** A version that is loaded when this resolves, and not held. */
  async #load({ model, version }: Target): Promise<ServedModel> {
    const { models, pinned } = this.#options;
    const served = await (version === undefined ? models.hold(model) : pinned.holdVersion(model, version));
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
