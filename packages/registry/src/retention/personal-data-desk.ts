import {
  NotFoundError,
  type Digest,
  type Erasure,
  type ErasureRequest,
  type PersonalData,
  type PipelineSpec,
} from '@perennial/contract';
import {
  eraseRowsOfKey,
  keyHash,
  lockRetention,
  markArtifactsRemoved,
  markDatasetsRemoved,
  readHoldings,
  recordChange,
  rowsOfKey,
  transaction,
  type HeldDataset,
  type Holdings,
} from '@perennial/storage';
import { deleteMarkedBytes } from './delete-marked-bytes.ts';
import { filesOfOnly } from './plan.ts';
import type { Asker, RetentionDependencies } from './retention-desk.ts';

/** Counts the rows of a Parquet file in which a column, as text, is the key; 0 where it has no such column. */
export type CountKeyRows = (question: {
  /** For the error. */
  pipeline: string;
  file: string;
  column: string;
  key: string;
}) => Promise<number>;

export interface PersonalDataDependencies extends RetentionDependencies {
  /** Ships every prediction acknowledged so far to the database. */
  flushPredictions: () => Promise<void>;
  countKeyRows: CountKeyRows;
}

/** Predictions, and facts, that an export holds at most. */
const MOST_ROWS = 10_000;

/** A dataset version's files are its three splits, then its quarantine. */
const SPLITS = 3;

/** The column of a split's file that names the entity a row is about. */
const KEY_COLUMN = '__key';

/** What is on record about one entity, by its key: told and erased. */
export class PersonalDataDesk {
  readonly #dependencies: PersonalDataDependencies;

  constructor(dependencies: PersonalDataDependencies) {
    this.#dependencies = dependencies;
  }

  /** Everything on record about a key. That it was asked for is audited, with the key's hash. */
  async export(key: string, { by, origin }: Asker): Promise<PersonalData> {
    const { database, clock, flushPredictions } = this.#dependencies;
    await flushPredictions();
    const rows = await rowsOfKey(database.orm, key, MOST_ROWS);
    const datasets = await this.#datasetsWith(key);
    await transaction(database, async (tx) => {
      recordChange(tx, { at: clock.now(), by, action: 'data.exported', subject: subjectOf(key), origin });
      return Promise.resolve();
    });
    const found = datasets.map(({ dataset, rows }) => ({
      dataset: dataset.digest,
      pipeline: dataset.pipeline,
      rows,
    }));
    return { key, ...rows, datasets: found };
  }

  /**
   * Erases the predictions and facts about a key, what other machines' journals still hold of it included, and where asked the rows of the dataset versions that hold it. Those
   * of a run that is under way stay, and are named.
   */
  async erase({ key, reason, datasets }: ErasureRequest, asker: Asker): Promise<Erasure> {
    const { database, clock, flushPredictions } = this.#dependencies;
    await flushPredictions();
    const at = clock.now();
    const change = {
      at,
      by: asker.by,
      action: 'data.erased' as const,
      subject: subjectOf(key),
      reason: reason.replaceAll(key, '[key]'),
      origin: asker.origin,
    };
    const erased = await transaction(database, async (tx) => {
      const counts = await eraseRowsOfKey(tx, key, at);
      recordChange(tx, { ...change, details: { ...counts } });
      return counts;
    });
    const holding = (await this.#datasetsWith(key)).map(({ dataset }) => dataset.digest);
    if (!datasets || holding.length === 0) return { key, ...erased, datasets: [], remaining: holding };
    const removed = await transaction(database, async (tx) => {
      await lockRetention(tx);
      const going = removable(await readHoldings(tx), holding);
      await markDatasetsRemoved(tx, going.datasets, at);
      await markArtifactsRemoved(tx, going.files, { because: 'erasure', at });
      recordChange(tx, { ...change, details: { datasets: going.datasets } });
      return going.datasets;
    });
    await deleteMarkedBytes(this.#dependencies);
    return {
      key,
      ...erased,
      datasets: removed,
      remaining: holding.filter((digest) => !removed.includes(digest)),
    };
  }

  /** Dataset versions whose rows are kept and that have rows of the key, with how many, the quarantined ones too. */
  async #datasetsWith(key: string): Promise<{ dataset: HeldDataset; rows: number }[]> {
    const { datasets, pipelines } = await readHoldings(this.#dependencies.database.orm);
    const found = [];
    for (const dataset of datasets) {
      const spec = pipelines.find(({ name }) => name === dataset.pipeline);
      const rows = await this.#countIn(dataset, spec, key);
      if (rows > 0) found.push({ dataset, rows });
    }
    return found;
  }

  async #countIn(
    { pipeline, files }: HeldDataset,
    spec: PipelineSpec | undefined,
    key: string,
  ): Promise<number> {
    const splits = new Set(files.slice(0, SPLITS).map(({ digest }) => digest));
    const questions = [...splits].map((digest) => ({ digest, column: KEY_COLUMN }));
    // Quarantined rows are as they came: the key stands under the source's own name.
    const column = spec?.data.key;
    if (column !== undefined)
      questions.push(...files.slice(SPLITS).map(({ digest }) => ({ digest, column })));
    let rows = 0;
    for (const { digest, column } of questions) {
      rows += await this.#countInFile(digest, { pipeline, column, key });
    }
    return rows;
  }

  /** A file that is lost holds nothing. */
  async #countInFile(digest: Digest, question: Omit<Parameters<CountKeyRows>[0], 'file'>): Promise<number> {
    const { artifacts, countKeyRows } = this.#dependencies;
    try {
      return await countKeyRows({ file: await artifacts.fetchFile(digest), ...question });
    } catch (error) {
      if (error instanceof NotFoundError) return 0;
      throw error;
    }
  }
}

/** Those of the dataset versions that no unfinished run works with, and the files that go with them. */
function removable(
  { datasets, unfinished }: Holdings,
  holding: Digest[],
): { datasets: Digest[]; files: Digest[] } {
  const inUse = new Set(unfinished.map(({ dataset }) => dataset));
  const going = datasets.filter(({ digest }) => holding.includes(digest) && !inUse.has(digest));
  return {
    datasets: going.map(({ digest }) => digest),
    files: filesOfOnly(datasets, going).map(({ digest }) => digest),
  };
}

/** The audit must not hold what was erased. */
function subjectOf(key: string): string {
  return `key:sha256:${keyHash(key)}`;
}
