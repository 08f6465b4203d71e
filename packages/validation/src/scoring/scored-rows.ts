/**
 * What one model answered for the rows of a split beside what was true, as flat columns: no object per row, so that a million rows
 * take a few megabytes.
 */
export type ScoredRows = BinaryRows | MulticlassRows | RegressionRows;

export interface BinaryRows {
  kind: 'binary';
  /** 0 or 1. */
  labels: Uint8Array;
  /** In [0, 1]. */
  probability: Float32Array;
  /** 0 or 1, by the artifact's own threshold. */
  decision: Uint8Array;
}

/**
 * Classes are numbered over everything that occurs (the models' classes and the labels), so that two models with different classes
 * can be compared on the same rows. Of the probabilities only those of the true and of the decided class are kept: nothing reads another.
 */
export interface MulticlassRows {
  kind: 'multiclass';
  /** Number of classes that the numbers in `labels` and `decision` run over. */
  classes: number;
  /** The classes by their numbers. */
  classNames: readonly string[];
  labels: Int32Array;
  /** The probability the model gave to the row's true class; 0 where the model does not know that class. */
  labelProbability: Float32Array;
  decision: Int32Array;
  /** The probability the model gave to the class it decided for, which is its most probable one. */
  decisionProbability: Float32Array;
}

export interface RegressionRows {
  kind: 'regression';
  labels: Float64Array;
  value: Float32Array;
}

/** Some of the rows, by their numbers, in the order of the numbers. */
export function selectRows(rows: ScoredRows, selected: Uint32Array): ScoredRows {
  const size = selected.length;
  switch (rows.kind) {
    case 'binary':
      return {
        kind: 'binary',
        labels: gather(rows.labels, selected, new Uint8Array(size)),
        probability: gather(rows.probability, selected, new Float32Array(size)),
        decision: gather(rows.decision, selected, new Uint8Array(size)),
      };
    case 'multiclass':
      return {
        kind: 'multiclass',
        classes: rows.classes,
        classNames: rows.classNames,
        labels: gather(rows.labels, selected, new Int32Array(size)),
        labelProbability: gather(rows.labelProbability, selected, new Float32Array(size)),
        decision: gather(rows.decision, selected, new Int32Array(size)),
        decisionProbability: gather(rows.decisionProbability, selected, new Float32Array(size)),
      };
    case 'regression':
      return {
        kind: 'regression',
        labels: gather(rows.labels, selected, new Float64Array(size)),
        value: gather(rows.value, selected, new Float32Array(size)),
      };
  }
}

/** A loop, since `from` with a function walks an iterator: ten times slower on a million rows. */
function gather<Column extends Uint8Array | Int32Array | Float32Array | Float64Array>(
  from: Column,
  selected: Uint32Array,
  to: Column,
): Column {
  for (let i = 0; i < selected.length; i++) to[i] = from[selected[i]!]!;
  return to;
}
