import { setImmediate as nextTurn } from 'node:timers/promises';
import { PerennialError, type DatasetManifest, type Digest, type Signature } from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { ArtifactUnfitError, LabelMismatchError, SplitMismatchError } from '../errors.ts';
import { ClassIndex } from './class-index.ts';
import { scoreSheet, type Labels, type ScoreSheet } from './score-sheet.ts';
import type { ScoredRows } from './scored-rows.ts';
import { SliceColumns, type Slice } from './slice-columns.ts';

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
}

export interface ScoringOptions {
  batches: AsyncIterable<LabelledBatch>;
  /** Digest of the dataset version. */
  dataset: Digest;
  manifest: DatasetManifest;
  candidate: ScoringModel;
  /** Null without a champion; a problem where it could not even be opened. */
  champion: ScoringModel | { problem: string } | null;
  /** Called after every batch with the share of the rows that is done, 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Both models' answers for the same rows. */
export interface ScoredSplit {
  candidate: ScoredRows;
  champion: { scored: ScoredRows } | { problem: string } | null;
  slices: Slice[];
}

/**
 * Runs both models over the test split, which is read once. What is wrong with the candidate ends it; what is wrong with the champion is
 * noted and the candidate goes on alone, since a broken champion must not keep the platform from saying how good its successor is.
 *
 * @throws ArtifactUnfitError about the candidate
 * @throws SplitMismatchError when the split does not hold as many rows as the manifest says
 */
export async function scoreSplit(options: ScoringOptions): Promise<ScoredSplit> {
  const { manifest, dataset, candidate } = options;
  const { rows } = manifest.splits.test;
  checkInputs(candidate, manifest);
  const classes = new ClassIndex(manifest.label.kind === 'multiclass' ? manifest.label.classes : []);
  const sheetOf = (model: ScoringModel): ScoreSheet =>
    scoreSheet({ artifact: model.artifact, label: manifest.label, rows, classes });
  const sheet = sheetOf(candidate);
  const champion = new ChampionScoring(options.champion, manifest, sheetOf);
  const slices = new SliceColumns(manifest.slices, rows);
  let done = 0;
  for await (const { batch, labels, slices: values } of options.batches) {
    options.signal?.throwIfAborted();
    if (done + batch.rows > rows) throw new SplitMismatchError(dataset, rows, done + batch.rows);
    sheet.add(labels, await candidate.run(batch));
    await champion.add(batch, labels);
    slices.add(values, batch.rows);
    done += batch.rows;
    options.onProgress?.(done / rows);
    // A run blocks the thread; between two of them others may have it.
    await nextTurn();
  }
  if (done !== rows) throw new SplitMismatchError(dataset, rows, done);
  return { candidate: sheet.finish(), champion: champion.finish(), slices: slices.finish() };
}

/** The champion's side: it scores until something is wrong with it, and then only remembers what. */
class ChampionScoring {
  readonly #model: ScoringModel | null = null;
  readonly #sheet: ScoreSheet | null = null;
  #problem: string | null = null;

  constructor(
    champion: ScoringModel | { problem: string } | null,
    manifest: DatasetManifest,
    sheetOf: (model: ScoringModel) => ScoreSheet,
  ) {
    if (champion === null) return;
    if ('problem' in champion) {
      this.#problem = champion.problem;
      return;
    }
    this.#model = champion;
    this.#sheet = sheetOf(champion);
    try {
      checkInputs(champion, manifest);
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

  finish(): ScoredSplit['champion'] {
    if (this.#problem !== null) return { problem: this.#problem };
    return this.#sheet && { scored: this.#sheet.finish() };
  }
}

/**
 * What is wrong with a champion, as a clause.
 * @throws the error itself where it is not about the champion: a label of the dataset, or a fault in the platform
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
