import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { IdGenerator, ManualClock, NotFoundError, type Digest } from '@perennial/contract';
import { readSignature } from '@perennial/onnx';
import { sealVersion, testSigning, type TestSigning } from '@perennial/registry/testing';
import { DatabaseUnavailableError, digestOf, digestOfJson } from '@perennial/storage';
import { Journal } from '../journal/journal.ts';
import type { JournalOptions } from '../journal/journal-options.ts';
import type { RecordPolicy } from '../journal/record-policy.ts';
import { ArtifactCache } from '../models/artifact-cache.ts';
import { AttestedVersions, type VersionEvidence } from '../models/attested-versions.ts';
import { ChampionTable } from '../models/champion-table.ts';
import type { Champion } from '../models/champion.ts';
import { ServedModels, type ServedModelsOptions } from '../models/served-models.ts';
import { PredictionService, type PredictionObserver } from '../online/prediction-service.ts';
import { addingArtifact } from './adding-artifact.ts';
import { temporaryFolder } from './temporary-folder.ts';

const AS_OF = '2001-03-04T00:00:00.000Z';

export interface ServedPlatformOptions {
  journal?: Partial<JournalOptions>;
  observer?: PredictionObserver;
  /** Memory, queue and caches of the models. */
  models?: Partial<ServedModelsOptions>;
  policyOf?: (model: string) => RecordPolicy;
  /** Where an earlier one had its files. @default a new folder */
  folder?: string;
  /** Whether the database answers from the beginning. @default true */
  reachable?: boolean;
  /** The keys of an earlier one. @default new ones */
  signing?: TestSigning;
}

/** Everything that answers predictions, put together, with a store and an alias table that the test moves by hand. */
export class ServedPlatform {
  readonly clock = new ManualClock('2001-03-04T05:06:07.000Z');
  readonly stored = new Map<Digest, Uint8Array>();
  readonly problems: unknown[] = [];
  readonly swaps: number[] = [];
  signing = testSigning();
  /** What is on record of versions, by `model@version`. */
  readonly evidence = new Map<string, VersionEvidence>();
  /** Folder of the last known champions and of what is kept of them. */
  folder = '';
  readonly #champions = new Map<string, Champion>();
  /** Whether the database answers. */
  reachable = true;
  #revision = 0;
  #closing: Promise<void> | undefined;
  journal!: Journal;
  table!: ChampionTable;
  models!: ServedModels;
  service!: PredictionService;

  /** Put together in a new folder; taken apart when the test is over. */
  static async start(options: ServedPlatformOptions = {}): Promise<ServedPlatform> {
    const platform = new ServedPlatform();
    platform.reachable = options.reachable ?? true;
    platform.signing = options.signing ?? platform.signing;
    await platform.#open(options.folder ?? (await temporaryFolder()), options);
    onTestFinished(() => platform.close());
    return platform;
  }

  /** Makes the model whose answer is `x + version` the champion, as version `version`, without telling the table. */
  promote(model: string, version: number): void {
    const { bytes, digest } = addingArtifact(version);
    this.stored.set(digest, bytes);
    this.sign(model, version, bytes);
    this.setChampion(model, { version, artifact: digest });
  }

  /** Puts an artifact on record as a version that was approved. */
  sign(model: string, version: number, bytes: Uint8Array): void {
    const digests = {
      model,
      version,
      artifact: digestOf(bytes),
      signature: digestOfJson(readSignature(bytes)),
      card: digestOfJson({ model, version }),
      gateReport: null,
      dataset: null,
    };
    this.evidence.set(`${model}@${version}`, { digests, envelope: sealVersion(digests, this.signing) });
  }

  /** Points the champion at anything, also at an artifact that is not there. */
  setChampion(model: string, to: { version: number; artifact: Digest } | null): void {
    const champion = to && { ...to, asOf: AS_OF, revision: ++this.#revision };
    this.#champions.set(model, { ...this.#champions.get(model), model, champion });
  }

  /** Changes what is known of a model beside its champion, without telling the table. */
  amend(model: string, changes: Pick<Champion, 'serving' | 'precomputed'>): void {
    this.#champions.set(model, { champion: null, ...this.#champions.get(model), ...changes, model });
  }

  remove(model: string): void {
    this.#champions.delete(model);
  }

  async #open(
    folder: string,
    { journal, observer, policyOf, models: residency }: ServedPlatformOptions,
  ): Promise<void> {
    const fetch = async (digest: Digest) => {
      this.#checkReachable();
      const bytes = this.stored.get(digest);
      if (bytes === undefined) throw new Error(`No artifact ${digest}.`);
      return bytes;
    };
    const onProblem = (error: unknown) => this.problems.push(error);
    this.folder = folder;
    this.journal = await Journal.open({ folder: join(folder, 'journal'), durability: 'process', ...journal });
    this.table = await ChampionTable.open({
      snapshotFile: join(folder, 'champions.json'),
      loadChampions: async () => {
        this.#checkReachable();
        return [...this.#champions.values()];
      },
      subscribe: async () => async () => undefined,
      onProblem,
    });
    this.models = new ServedModels({
      table: this.table,
      artifacts: await ArtifactCache.open({ folder: join(folder, 'artifacts'), fetch, onProblem }),
      verifier: await AttestedVersions.open({
        folder: join(folder, 'attestations'),
        load: async (model, version) => this.#load(model, version),
        trusted: this.signing.trusted,
        onProblem,
      }),
      onProblem: (_, error) => onProblem(error),
      onSwap: (_, version) => this.swaps.push(version),
      clock: this.clock,
      ...residency,
    });
    const { clock, models } = this;
    const ids = new IdGenerator(clock);
    this.service = new PredictionService({
      models,
      journal: this.journal,
      ids,
      clock,
      ...(observer && { observer }),
      ...(policyOf && { policyOf }),
    });
  }

  #load(model: string, version: number): VersionEvidence {
    this.#checkReachable();
    const found = this.evidence.get(`${model}@${version}`);
    if (found === undefined) throw new NotFoundError('version', `${model}@${version}`);
    return found;
  }

  #checkReachable(): void {
    if (!this.reachable) throw new DatabaseUnavailableError();
  }

  /** Safe to call again: a test may do it before its end. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.table.close();
    await this.models.close();
    await this.journal.close();
  }
}
