import { setImmediate as nextTurn } from 'node:timers/promises';
import { PerennialError, type DatasetManifest, type Digest, type Signature } from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { ArtifactUnfitError, LabelMismatchError, SplitMismatchError } from '../errors.ts';
import { ClassIndex } from './class-index.ts';
import { scoreSheet, type Labels, type ScoreSheet } from './score-sheet.ts';
import { ClusterNumbers, type ClusterKind, type RowClusters } from './row-clusters.ts';
import { SamplePicker, type RowSample } from './row-sample.ts';
import type { ScoredRows } from './scored-rows.ts';
import { SliceColumns, type CodedColumn } from '../slices/slice-columns.ts';

/** An artifact that can answer. */
export interface ScoringModel {
  artifact: Digest;
  signature: Signature;
  run(batch: ColumnBatch): Promise<OutputBatch>;
}

/** Some rows of a split, as `readSplit` gives them. */
export interface LabelledBatch {
  batch: ColumnBatch;
  labels: Labels;
  /** Text values by slice column. */
  slices: Record<string, string[]>;
  /** Milliseconds since 1970. */
  times: BigInt64Array;
  /** Null where the pipeline has no key. */
  keys: string[] | null;
}

/** A model that need not answer: one that could not be opened comes as a problem, and one that fails on the way ends as one. */
export type TriedModel = ScoringModel | { problem: string } | null;
export type TriedScores = { scored: ScoredRows } | { problem: string } | null;

export interface ScoringOptions {
  batches: AsyncIterable<LabelledBatch>;
  /** Digest of the dataset version. */
  dataset: Digest;
  manifest: DatasetManifest;
  candidate: ScoringModel;
  champion: TriedModel;
  /** The linear baseline. */
  linear: TriedModel;
  /** What the rows' clusters are wanted by. */
  clusters: ClusterKind[];
  /** Rows that a sample is picked from, ascending, and how many it holds at most. */
  sample: { eligible: Uint32Array; most: number };
  /** Called after every batch with the share of the rows that is done, 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** The models' answers for the same rows, and what else is known of the rows. */
export interface ScoredSplit {
  candidate: ScoredRows;
  champion: TriedScores;
  linear: TriedScores;
  slices: CodedColumn[];
  clusters: RowClusters;
  sample: RowSample;
}

/**
 * Runs the models over the test split, which is read once. What is wrong with the candidate ends it; what is wrong with another is
 * noted and the candidate goes on alone, since a broken champion must not keep the platform from saying how good its successor is.
 *
 * @throws ArtifactUnfitError about the candidate
 * @throws SplitMismatchError when the split does not hold as many rows as the manifest says
 */
export async function scoreSplit(options: ScoringOptions): Promise<ScoredSplit> {
  const { manifest, candidate, sample } = options;
  const { rows } = manifest.splits.test;
  checkInputs(candidate, manifest);
  const classes = new ClassIndex(manifest.label.kind === 'multiclass' ? manifest.label.classes : []);
  const sheetOf = (model: ScoringModel): ScoreSheet =>
    scoreSheet({ artifact: model.artifact, label: manifest.label, rows, classes });
  const sheet = sheetOf(candidate);
  const others = [options.champion, options.linear].map(
    (model) => new TriedScoring(model, manifest, sheetOf),
  );
  const slices = new SliceColumns(manifest.slices, rows);
  const clusters = new ClusterNumbers(options.clusters, rows);
  const picker = new SamplePicker(sample.eligible, sample.most);
  for await (const labelled of countedBatches(options)) {
    const { batch, labels } = labelled;
    sheet.add(labels, await candidate.run(batch));
    for (const other of others) await other.add(batch, labels);
    slices.add(labelled.slices, batch.rows);
    clusters.add(labelled);
    picker.add(batch, labels);
  }
  const [champion, linear] = others.map((other) => other.finish());
  return {
    candidate: sheet.finish(),
    champion: champion ?? null,
    linear: linear ?? null,
    slices: slices.finish(),
    clusters: clusters.finish(),
    sample: picker.finish(),
  };
}

/** The split's batches: as many rows as the manifest says, or an error. */
async function* countedBatches(options: ScoringOptions): AsyncGenerator<LabelledBatch, void, undefined> {
  const { dataset, manifest, onProgress, signal } = options;
  const { rows } = manifest.splits.test;
  let done = 0;
  for await (const labelled of options.batches) {
    signal?.throwIfAborted();
    done += labelled.batch.rows;
    if (done > rows) throw new SplitMismatchError(dataset, rows, done);
    yield labelled;
    onProgress?.(done / rows);
    // A run blocks the thread; between two of them others may have it.
    await nextTurn();
  }
  if (done !== rows) throw new SplitMismatchError(dataset, rows, done);
}

/** Scores a model until something is wrong with it, and then only remembers what. */
class TriedScoring {
  readonly #model: ScoringModel | null = null;
  readonly #sheet: ScoreSheet | null = null;
  #problem: string | null = null;

  constructor(model: TriedModel, manifest: DatasetManifest, sheetOf: (model: ScoringModel) => ScoreSheet) {
    if (model === null) return;
    if ('problem' in model) {
      this.#problem = model.problem;
      return;
    }
    this.#model = model;
    this.#sheet = sheetOf(model);
    try {
      checkInputs(model, manifest);
    } catch (error) {
      this.#problem = problemOf(error);
    }
  }

  async add(batch: ColumnBatch, labels: Labels): Promise<void> {
    if (this.#problem !== null || this.#model === null) return;
    try {
      this.#sheet?.add(labels, await this.#model.run(batch));
    } catch (error) {
      this.#problem = problemOf(error);
    }
  }

  finish(): TriedScores {
    if (this.#problem !== null) return { problem: this.#problem };
    return this.#sheet && { scored: this.#sheet.finish() };
  }
}

/**
 * What is wrong with a model that need not answer, as a clause.
 * @throws the error itself where it is not about the model: a label of the dataset, or a fault in the platform
 */
export function problemOf(error: unknown): string {
  if (error instanceof ArtifactUnfitError) return error.problem;
  if (!(error instanceof PerennialError) || error instanceof LabelMismatchError) throw error;
  return `it does not run (${error.message.replace(/\.$/, '')})`;
}

/** @throws ArtifactUnfitError when the model wants a column that the dataset lacks or has as another type, or has another kind of label */
function checkInputs({ artifact, signature }: ScoringModel, manifest: DatasetManifest): void {
  if (signature.output.kind !== manifest.label.kind) {
    throw new ArtifactUnfitError(
      artifact,
      `it answers as a ${signature.output.kind} model where the label is ${manifest.label.kind}`,
    );
  }
  for (const { name, type } of signature.inputs) {
    const column = manifest.encoder.columns.find((candidate) => candidate.name === name);
    if (column === undefined) {
      throw new ArtifactUnfitError(
        artifact,
        `it needs the column '${name}', which the dataset does not have`,
      );
    }
    if (column.type !== type) {
      throw new ArtifactUnfitError(
        artifact,
        `it needs the column '${name}' as ${type}, and the dataset has it as ${column.type}`,
      );
    }
  }
}
