import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { IdGenerator, ManualClock, type Digest } from '@perennial/contract';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import { ArtifactCache } from '../models/artifact-cache.ts';
import { ChampionTable } from '../models/champion-table.ts';
import type { Champion } from '../models/champion.ts';
import { ServedModels } from '../models/served-models.ts';
import { PredictionService, type PredictionObserver } from '../online/prediction-service.ts';
import { addingArtifact } from './adding-artifact.ts';
import { temporaryFolder } from './temporary-folder.ts';

const AS_OF = '2001-03-04T00:00:00.000Z';

export interface ServedPlatformOptions {
  journal?: Partial<JournalOptions>;
  observer?: PredictionObserver;
}

/** Everything that answers predictions, put together, with a store and an alias table that the test moves by hand. */
export class ServedPlatform {
  readonly clock = new ManualClock('2001-03-04T05:06:07.000Z');
  readonly stored = new Map<Digest, Uint8Array>();
  readonly problems: unknown[] = [];
  readonly swaps: number[] = [];
  readonly #champions = new Map<string, Champion>();
  #revision = 0;
  journal!: Journal;
  table!: ChampionTable;
  models!: ServedModels;
  service!: PredictionService;

  /** Put together in a new folder; taken apart when the test is over. */
  static async start(options: ServedPlatformOptions = {}): Promise<ServedPlatform> {
    const platform = new ServedPlatform();
    const folder = await temporaryFolder();
    await platform.#open(folder, options);
    onTestFinished(() => platform.#close());
    return platform;
  }

  /** Makes the model whose answer is `x + version` the champion, as version `version`, without telling the table. */
  promote(model: string, version: number): void {
    const { bytes, digest } = addingArtifact(version);
    this.stored.set(digest, bytes);
    this.setChampion(model, { version, artifact: digest });
  }

  /** Points the champion at anything, also at an artifact that is not there. */
  setChampion(model: string, to: { version: number; artifact: Digest } | null): void {
    const champion = to && { ...to, asOf: AS_OF, revision: ++this.#revision };
    this.#champions.set(model, { model, champion });
  }

  remove(model: string): void {
    this.#champions.delete(model);
  }

  async #open(folder: string, { journal, observer }: ServedPlatformOptions): Promise<void> {
    const fetch = async (digest: Digest) => {
      const bytes = this.stored.get(digest);
      if (bytes === undefined) throw new Error(`No artifact ${digest}.`);
      return bytes;
    };
    const onProblem = (error: unknown) => this.problems.push(error);
    this.journal = await Journal.open({ folder: join(folder, 'journal'), durability: 'process', ...journal });
    this.table = await ChampionTable.open({
      snapshotFile: join(folder, 'champions.json'),
      loadChampions: async () => [...this.#champions.values()],
      subscribe: async () => async () => undefined,
      onProblem,
    });
    this.models = new ServedModels({
      table: this.table,
      artifacts: await ArtifactCache.open({ folder: join(folder, 'artifacts'), fetch, onProblem }),
      onProblem: (_, error) => onProblem(error),
      onSwap: (_, version) => this.swaps.push(version),
    });
    const { clock, models } = this;
    const ids = new IdGenerator(clock);
    this.service = new PredictionService({
      models,
      journal: this.journal,
      ids,
      clock,
      ...(observer && { observer }),
    });
  }

  async #close(): Promise<void> {
    await this.table.close();
    await this.models.close();
    await this.journal.close();
  }
}
