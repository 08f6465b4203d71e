import type { FittedLabel } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { ArtifactUnfitError, LabelMismatchError } from '../errors.ts';
import type { ClassIndex } from './class-index.ts';
import type { BinaryRows, MulticlassRows, RegressionRows, ScoredRows } from './scored-rows.ts';

/** How far the probabilities of a row may sum from 1: softmax over thousands of classes in float32 stays a hundred times nearer. */
const SUM_TOLERANCE = 1e-3;

/** True labels as the split's file holds them: numbers, or the class names of a multiclass label. */
export type Labels = Float64Array | string[];

/** What one model answers, gathered batch by batch into columns as long as the split. */
export interface ScoreSheet {
  /**
   * Takes the answers for the next rows.
   * @throws ArtifactUnfitError when an answer is missing, is not a number, or lies outside its range
   */
  add(labels: Labels, output: OutputBatch): void;
  /** Everything that was added. */
  finish(): ScoredRows;
}

export interface SheetOptions {
  /** Of the model, for errors. */
  artifact: string;
  label: FittedLabel;
  /** Rows of the split. */
  rows: number;
  classes: ClassIndex;
}

export function scoreSheet(options: SheetOptions): ScoreSheet {
  switch (options.label.kind) {
    case 'binary':
      return new BinarySheet(options);
    case 'multiclass':
      return new MulticlassSheet(options);
    case 'regression':
      return new RegressionSheet(options);
  }
}

class BinarySheet implements ScoreSheet {
  readonly #artifact: string;
  readonly #rows: BinaryRows;
  #filled = 0;

  constructor({ artifact, rows }: SheetOptions) {
    this.#artifact = artifact;
    this.#rows = {
      kind: 'binary',
      labels: new Uint8Array(rows),
      probability: new Float32Array(rows),
      decision: new Uint8Array(rows),
    };
  }

  add(labels: Labels, output: OutputBatch): void {
    if (output.kind !== 'binary') throw wrongKind(this.#artifact, output, 'binary');
    checkLength(this.#artifact, labels, [output.probability, output.decision]);
    checkProbabilities(this.#artifact, output.probability, this.#filled);
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row];
      if (label !== 0 && label !== 1) throw new LabelMismatchError('binary', this.#filled + row);
      this.#rows.labels[this.#filled + row] = label;
    }
    this.#rows.probability.set(output.probability, this.#filled);
    this.#rows.decision.set(output.decision, this.#filled);
    this.#filled += labels.length;
  }

  finish(): ScoredRows {
    return this.#rows;
  }
}

class MulticlassSheet implements ScoreSheet {
  readonly #artifact: string;
  readonly #classes: ClassIndex;
  readonly #rows: Omit<MulticlassRows, 'classes' | 'classNames'>;
  #filled = 0;

  constructor({ artifact, rows, classes }: SheetOptions) {
    this.#artifact = artifact;
    this.#classes = classes;
    this.#rows = {
      kind: 'multiclass',
      labels: new Int32Array(rows),
      labelProbability: new Float32Array(rows),
      decision: new Int32Array(rows),
      decisionProbability: new Float32Array(rows),
    };
  }

  add(labels: Labels, output: OutputBatch): void {
    if (output.kind !== 'multiclass') throw wrongKind(this.#artifact, output, 'multiclass');
    const { classes, probabilities, decision } = output;
    checkLength(this.#artifact, labels, [decision, { length: probabilities.length / classes.length }]);
    checkProbabilities(this.#artifact, probabilities, this.#filled * classes.length);
    checkSums(this.#artifact, probabilities, classes.length);
    const columns = new Map(classes.map((name, column) => [name, column]));
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row];
      if (typeof label !== 'string') throw new LabelMismatchError('multiclass', this.#filled + row);
      const probabilityOf = (name: string): number => {
        const column = columns.get(name);
        return column === undefined ? 0 : probabilities[row * classes.length + column]!;
      };
      const at = this.#filled + row;
      this.#rows.labels[at] = this.#classes.numberOf(label);
      this.#rows.labelProbability[at] = probabilityOf(label);
      this.#rows.decision[at] = this.#classes.numberOf(decision[row]!);
      this.#rows.decisionProbability[at] = probabilityOf(decision[row]!);
    }
    this.#filled += labels.length;
  }

  finish(): ScoredRows {
    return { ...this.#rows, classes: this.#classes.size, classNames: this.#classes.names };
  }
}

class RegressionSheet implements ScoreSheet {
  readonly #artifact: string;
  readonly #rows: RegressionRows;
  #filled = 0;

  constructor({ artifact, rows }: SheetOptions) {
    this.#artifact = artifact;
    this.#rows = { kind: 'regression', labels: new Float64Array(rows), value: new Float32Array(rows) };
  }

  add(labels: Labels, output: OutputBatch): void {
    if (output.kind !== 'regression') throw wrongKind(this.#artifact, output, 'regression');
    checkLength(this.#artifact, labels, [output.value]);
    const unusable = output.value.findIndex((value) => !Number.isFinite(value));
    if (unusable >= 0) throw unusableAnswer(this.#artifact, output.value[unusable]!, this.#filled + unusable);
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row];
      if (typeof label !== 'number' || !Number.isFinite(label)) {
        throw new LabelMismatchError('regression', this.#filled + row);
      }
      this.#rows.labels[this.#filled + row] = label;
    }
    this.#rows.value.set(output.value, this.#filled);
    this.#filled += labels.length;
  }

  finish(): ScoredRows {
    return this.#rows;
  }
}

function checkLength(artifact: string, labels: Labels, answers: { length: number }[]): void {
  for (const { length } of answers) {
    if (length === labels.length) continue;
    throw new ArtifactUnfitError(
      artifact,
      `it answered ${length} rows where it was asked about ${labels.length}`,
    );
  }
}

function checkProbabilities(artifact: string, probabilities: Float32Array, before: number): void {
  const unusable = probabilities.findIndex((value) => !(value >= 0 && value <= 1));
  if (unusable >= 0) throw unusableAnswer(artifact, probabilities[unusable]!, before + unusable);
}

function checkSums(artifact: string, probabilities: Float32Array, classes: number): void {
  for (let start = 0; start < probabilities.length; start += classes) {
    let sum = 0;
    for (let column = 0; column < classes; column++) sum += probabilities[start + column]!;
    if (Math.abs(sum - 1) <= SUM_TOLERANCE) continue;
    throw new ArtifactUnfitError(
      artifact,
      `its probabilities of a row sum to ${sum.toPrecision(4)} and not to 1`,
    );
  }
}

function unusableAnswer(artifact: string, value: number, position: number): ArtifactUnfitError {
  return new ArtifactUnfitError(artifact, `it answered ${value} at position ${position} of the test rows`);
}

function wrongKind(artifact: string, output: OutputBatch, expected: string): ArtifactUnfitError {
  return new ArtifactUnfitError(
    artifact,
    `it answers as a ${output.kind} model where the label is ${expected}`,
  );
}
